// A text as Boost.JSON takes it: its string_view is a type of its own. Pure; any thread. The text must outlive the view.
#pragma once
#include <boost/json/string_view.hpp>
#include <string_view>

namespace drover {

inline boost::json::string_view json_view(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace drover
