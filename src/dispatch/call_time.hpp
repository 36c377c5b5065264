// How the deadline of a whole call is shared: choosing the phones may take time too, where a selector asks for their state.
// Pure; any thread. Failure: none.
#pragma once
#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>

#include "drover/command.hpp"

namespace drover::dispatch {

constexpr int kSelectionShare = 2;  // at most one half: a phone that does not come shall not take the others' time

// How long phones may take to connect while they are chosen.
inline std::chrono::milliseconds selection_limit(const std::optional<std::chrono::milliseconds>& deadline) {
    return deadline ? std::min(Limits{}.connect, *deadline / kSelectionShare) : Limits{}.connect;
}

// Whether choosing the phones takes time: a group may ask for a state too.
inline bool may_ask_phones(std::string_view selector) {
    return selector.find("state:") != selector.npos || selector.find('@') != selector.npos;
}

// Of a call whose phones were chosen since `begin`. Never nothing: one whose time is over ends by itself, with a row for each
// phone.
inline std::chrono::milliseconds what_is_left(std::chrono::milliseconds deadline, std::string_view selector,
                                              std::chrono::steady_clock::time_point begin) {
    if (!may_ask_phones(selector)) return deadline;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    return std::max(std::chrono::milliseconds(1), deadline - took);
}

}  // namespace drover::dispatch
