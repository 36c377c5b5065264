// A number and what it is of, for people: "1 phone", "2 phones". Pure; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace drover {

// noun: of which there is one; more of them end in -s.
inline std::string counted(std::uint64_t count, std::string_view noun) {
    return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace drover
