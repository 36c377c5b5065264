// A phone as `drover devices --json` and drover's own API tell it. Pure; any thread. Keys are a promise.
#pragma once
#include <boost/json/object.hpp>

#include "drover/fleet.hpp"

namespace drover::report {

// The reason of a phone's state, and who holds it. Held phones are as rare as disabled ones: they need no column of their own.
std::string with_holder(const std::string& why, const std::string& held_by);
boost::json::object phone_object(const PhoneInfo& phone);

}  // namespace drover::report
