// Any text as an inventory: never a crash, and an address that was accepted reads the same once it is written.
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
    for (const Instance& one : inventory->instances) {
        DROVER_ASSERT(valid_instance_id(one.id));
        const auto again = fleet::parse_address(one.via, to_string(one.address));
        DROVER_ASSERT(again && again->index() == one.address.index() && to_string(*again) == to_string(one.address));
    }
    static_cast<void>(dispatch::check_groups(*inventory));
    return 0;
}
