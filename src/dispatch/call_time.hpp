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

// Of the time of a call of which something took its share since `begin`. Never nothing: one whose time is over ends by itself, with
// a row for each phone.
inline std::chrono::milliseconds what_is_left(std::chrono::milliseconds deadline,
                                              std::chrono::steady_clock::time_point begin) {
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    return std::max(std::chrono::milliseconds(1), deadline - took);
}

// Of a call whose phones were chosen since `begin`.
inline std::chrono::milliseconds what_is_left(std::chrono::milliseconds deadline, std::string_view selector,
                                              std::chrono::steady_clock::time_point begin) {
    return may_ask_phones(selector) ? what_is_left(deadline, begin) : deadline;
}

// Of one for which a fleet was opened since `begin`. That takes time only where phones or the adb server are slow: else messages
// tell the deadline as it was given.
inline std::chrono::milliseconds left_after_opening(std::chrono::milliseconds deadline,
                                                    std::chrono::steady_clock::time_point begin) {
    constexpr std::chrono::milliseconds kAtOnce{100};
    return std::chrono::steady_clock::now() - begin < kAtOnce ? deadline : what_is_left(deadline, begin);
}

}  // namespace drover::dispatch
