// The parsed form of a selector. Private to selector.cpp and selector_parse.cpp.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/id_ranges.hpp"
#include "dispatch/selector.hpp"

namespace drover::dispatch::detail {

struct SelectorNode {
    enum class Kind : std::uint8_t {
        all,
        id,
        ids,
        pattern,
        label,
        state,
        disabled,
        via,
        usb,
        serial,
        tcp,
        group,
        negation,
        both,
        either,
        any
    };
    Kind kind = Kind::all;
    std::string name;                     // id, label's key
    std::unordered_set<std::string> ids;  // ids: a union of plain ids, folded into one set
    std::optional<IdPattern> pattern;     // of an id, a label's value, an address; absent: the key alone, any port
    adb::AdbState state = adb::AdbState::offline;
    Via via = Via::automatic;
    std::size_t group = 0;  // index into SelectorTree::groups
    bool asks = false;      // disabled: written in the selector itself, not behind `!`
    std::vector<SelectorNode> children;
};

struct SelectorTree {
    SelectorNode root;
    std::vector<SelectorNode> groups;       // each uses only groups before it
    std::vector<std::string> written_ids;   // plain ids in the order they stand, groups included
    std::unordered_set<std::string> named;  // plain ids written in the selector itself, not behind `!`
};

}  // namespace drover::dispatch::detail
