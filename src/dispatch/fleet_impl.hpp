// What stands behind drover::Fleet: one generation of instances and their phones, over the ground all generations share.
// job::run() reaches the phones through it. Threads and ownership: as Fleet.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dispatch/fleet_ground.hpp"
#include "drover/fleet.hpp"
#include "fleet/inventory.hpp"
#include "fleet/phone.hpp"

namespace drover {

struct Fleet::Impl {
    Impl(std::shared_ptr<FleetGround> ground, fleet::Inventory found);
    ~Impl();

    // Adds what discovery shows, where the inventory or its absence asks for it, and resolves each instance's way. An error:
    // there is nothing but the adb server to ask, and it does not answer. `before`: whose ids are kept; may be null.
    Result<void> discover(const Impl* before);
    // Phones of `before` that are as they were are taken over; null: all are new.
    void make_phones(const Impl* before);
    // Leaves out discovered instances that have turned out to be another one by now.
    void drop_twins();
    std::map<std::string, std::string> current_twins(const std::vector<Instance>& found) const;
    std::vector<fleet::Phone*> phones_of(const std::vector<std::size_t>& targets) const;

    const std::shared_ptr<FleetGround> ground;
    fleet::Inventory inventory;
    std::vector<Via> written;  // how each instance is reached, before it was resolved
    std::size_t given = 0;     // instances of the inventory itself; they come first
    bool ambiguous = false;    // the same phone may be there twice: all have to tell who they are
    bool identified = false;   // its phones tell who they are
    // In the inventory's order. Shared with other generations; each is let go of on its loop.
    std::vector<std::shared_ptr<fleet::Phone>> phones;
};

}  // namespace drover
