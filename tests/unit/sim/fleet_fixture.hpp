// A small fleet of virtual phones and clients for them.
#pragma once
#include <gmock/gmock.h>

#include <memory>

#include "sim/fleet.hpp"
#include "sim/virtual_phone.hpp"
#include "unit/sim/phone_client.hpp"

namespace drover::test {

inline std::unique_ptr<sim::Fleet> start_fleet(std::size_t count = 1, sim::Profile profile = sim::modern_profile()) {
    sim::FleetOptions options;
    options.count = count;
    options.loops = 2;
    options.profile = [shared = std::make_shared<const sim::Profile>(std::move(profile))](
                          std::uint32_t, const std::string&) { return shared; };
    auto fleet = sim::Fleet::start(std::move(options));
    EXPECT_TRUE(fleet) << fleet.error().message;
    return fleet ? std::move(*fleet) : nullptr;
}

// Commands in a real shell need mksh and toybox on the host.
#define NEEDS_REAL_SHELL(fleet) \
    if (!(fleet)->refusal().empty()) GTEST_SKIP() << (fleet)->refusal()

}  // namespace drover::test
