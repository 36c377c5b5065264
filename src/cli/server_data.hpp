// What a server sent, read without trust. Pure; any thread. What refers to `object` lives as long as it.
#pragma once
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string_view>

#include "base/json_view.hpp"

namespace drover::cli {

// Empty when there is no such key, or something else than a list.
inline const boost::json::array& list_in(const boost::json::object& object, std::string_view key) {
    static const boost::json::array kNone;
    const auto* value = object.if_contains(json_view(key));
    return value && value->is_array() ? value->get_array() : kNone;
}

}  // namespace drover::cli
