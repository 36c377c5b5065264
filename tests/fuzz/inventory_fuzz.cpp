// Any text as an inventory: never a crash, and what was accepted can be written and read again to the same phones.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/id_ranges.hpp"
#include "dispatch/selector.hpp"
#include "fleet/inventory.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace drover;
    const auto inventory = fleet::parse_inventory(as_text({data, size}), "f");
    if (!inventory) {
        DROVER_ASSERT(inventory.error().code == Code::bad_inventory);
        DROVER_ASSERT(inventory.error().message.rfind("f:", 0) == 0);
        return 0;
    }
    const auto again = fleet::parse_inventory(fleet::write_inventory(inventory->instances), "again");
    DROVER_ASSERT(again && again->instances.size() == inventory->instances.size());
    for (std::size_t i = 0; i < again->instances.size(); ++i) {
        const Instance &a = inventory->instances[i], &b = again->instances[i];
        DROVER_ASSERT(valid_instance_id(a.id) && a.id == b.id && a.via == b.via && a.serial == b.serial &&
                      a.labels == b.labels);
        DROVER_ASSERT(a.address.index() == b.address.index() && to_string(a.address) == to_string(b.address));
    }
    static_cast<void>(dispatch::check_groups(*inventory));
    return 0;
}
