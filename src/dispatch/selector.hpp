// Selectors: which phones of the fleet a call is for.
//
//   all              every phone                       label:key=value  a label; the value may be a pattern; label:key: has it
//   rack1-01         the phone with this id            state:running    adb's state; `running` is adb's `device`
//   rack1-*  r?      ids that match                    via:usb          how drover reaches it
//   r[01-20,25]      ids with one of these numbers     usb:1-4.2  tcp:HOST[:PORT]  serial:S   its address
//   @group           a group of the inventory
//   ! not   & and   ^ either, not both   , union       (in this order of strength); parentheses; spaces are allowed
//
// A phone out of service, by a person's word or for its health, is chosen only where its own id is written, or where
// state:disabled asks for those; wherever else it matches it is counted and left out.
//
// Pure; any thread; immutable once parsed. Limits: kSelectorBytesMax, kSelectorDepthMax, groups included.
// Failure: SelectorError says what and where in the selector (or inside which group).
#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adb/banner.hpp"
#include "drover/error.hpp"
#include "drover/fleet.hpp"
#include "drover/instance.hpp"
#include "fleet/inventory.hpp"

namespace drover::dispatch {

constexpr std::size_t kSelectorBytesMax = 256 * 1024;
constexpr std::size_t kSelectorDepthMax = 64;  // parentheses, `!` and groups inside each other

// One phone, as selectors see it.
struct Candidate {
    const Instance* instance = nullptr;       // `via` resolved
    std::optional<adb::AdbState> state = {};  // empty: not known yet
    bool unfit = false;                       // out of service for its health: as if disabled
};

struct SelectorError {
    std::size_t offset = 0;  // bytes from the selector's start: where a caret belongs
    std::string message;

    // Code::bad_selector, "selector 'a&&b', column 3: ...".
    Error to_error(std::string_view selector) const;
};

using Groups = std::map<std::string, fleet::Group, std::less<>>;

namespace detail {
struct SelectorTree;
}

class Selector {
public:
    // Groups are looked into only as far as the selector uses them.
    static tl::expected<Selector, SelectorError> parse(std::string_view text, const Groups& groups);

    // Whether `text` is well-formed, whatever groups there may be.
    static tl::expected<void, SelectorError> check(std::string_view text);

    // Targets in the order of `phones`. A phone whose state matters and is not known does not match.
    Selection select(std::span<const Candidate> phones) const;
    // The phones whose state has to be found out before select() can tell, by position.
    std::vector<std::size_t> undecided(std::span<const Candidate> phones) const;

private:
    explicit Selector(std::shared_ptr<const detail::SelectorTree> tree) : tree_(std::move(tree)) {}
    std::shared_ptr<const detail::SelectorTree> tree_;
};

// Checks every group of an inventory, used or not: Code::bad_inventory, "FILE:LINE:COLUMN: groups.NAME: ...".
Result<void> check_groups(const fleet::Inventory& inventory);

}  // namespace drover::dispatch
