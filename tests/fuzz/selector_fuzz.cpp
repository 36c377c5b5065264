// Any text as a selector over a small fleet: never a crash, targets in order, a phone and its negation never both chosen,
// and what is chosen folds into a selector that chooses the same.
#include <algorithm>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/id_ranges.hpp"
#include "dispatch/selector.hpp"

namespace {

using namespace drover;

std::vector<Instance> make_fleet() {
    std::vector<Instance> out(8);
    for (std::size_t i = 0; i < out.size(); ++i) out[i].id = (i < 6 ? "r-0" : "r-") + std::to_string(i);
    out[0].address = TcpAddress{"10.0.0.5", 5555};
    out[0].via = Via::tcp;
    out[1].address = TcpAddress{"::1", 1};
    out[2].address = UsbPath{"1-4.2"};
    out[3].address = Serial{"S"};
    out[4].labels = {{"k", "v"}};
    out[5].disabled = true;
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using dispatch::Selector;
    static const auto phones = make_fleet();
    static const dispatch::Groups groups{
        {"g", {"r-0*", {}}}, {"h", {"@g & !r-01", {}}}, {"l", {"@m", {}}}, {"m", {"@l", {}}}};
    std::vector<dispatch::Candidate> candidates;
    for (const Instance& phone : phones) candidates.push_back({&phone, {}});
    candidates[0].state = adb::AdbState::device;
    candidates[1].state = adb::AdbState::offline;

    const auto text = as_text({data, size});
    const auto selector = Selector::parse(text, groups);
    const auto checked = Selector::check(text);
    if (!selector) {
        DROVER_ASSERT(selector.error().offset <= size && !selector.error().message.empty());
        DROVER_ASSERT(selector.error().to_error(text).code == Code::bad_selector);
        return 0;
    }
    DROVER_ASSERT(checked.has_value());
    const Selection chosen = selector->select(candidates);
    DROVER_ASSERT(std::is_sorted(chosen.targets.begin(), chosen.targets.end()));
    DROVER_ASSERT(std::adjacent_find(chosen.targets.begin(), chosen.targets.end()) == chosen.targets.end());
    const auto undecided = selector->undecided(candidates);
    std::vector<std::string> ids;
    for (const std::size_t target : chosen.targets) {
        ids.push_back(phones[target].id);
        DROVER_ASSERT(std::find(undecided.begin(), undecided.end(), target) == undecided.end());
    }
    if (const auto negated = Selector::parse("!(" + std::string(text) + ")", groups)) {
        for (const std::size_t target : negated->select(candidates).targets) {
            DROVER_ASSERT(std::find(chosen.targets.begin(), chosen.targets.end(), target) == chosen.targets.end());
        }
    }
    if (ids.empty()) return 0;
    const auto folded = Selector::parse(compress_ids(ids), {});
    DROVER_ASSERT(folded.has_value());
    const Selection again = folded->select(candidates);
    DROVER_ASSERT(again.targets.size() + again.disabled_left_out == chosen.targets.size());
    return 0;
}
