#include "dispatch/fleet_impl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/duration.hpp"
#include "base/log.hpp"
#include "fleet/discovery.hpp"

namespace drover {
namespace {

// The same way to the same phone: its link can stay. Labels and marks may differ.
bool same_phone(const Instance& a, const Instance& b) {
    return a.id == b.id && a.serial == b.serial && to_string(a.address) == to_string(b.address);
}

std::optional<Error> out_of_service(const Instance& instance) {
    if (!instance.disabled) return std::nullopt;
    return Error(Code::disabled, instance.disabled_why);
}

}  // namespace

Fleet::Impl::Impl(std::shared_ptr<FleetGround> g, fleet::Inventory found)
    : ground(std::move(g)), inventory(std::move(found)) {}

// Twins whose other is still in the fleet; the others may come back as themselves.
std::map<std::string, std::string> Fleet::Impl::current_twins(const std::vector<Instance>& found) const {
    auto twins = ground->identities().twins();
    const auto is_there = [&](const std::string& id) {
        const auto same = [&](const Instance& i) { return i.id == id; };
        return std::any_of(inventory.instances.begin(), inventory.instances.end(), same) ||
               std::any_of(found.begin(), found.end(), same);
    };
    std::set<std::string> gone;
    for (const auto& [twin, other] : twins) {
        if (!is_there(other)) gone.insert(other);
    }
    for (const auto& id : gone) ground->identities().forget(id);
    std::erase_if(twins, [&](const auto& t) { return gone.contains(t.second); });
    return twins;
}

Result<void> Fleet::Impl::discover(const Impl* before) {
    const bool alone = !ground->options().inventory;
    const bool from_server = alone || inventory.discover_server;
    const bool from_usb = alone || inventory.discover_usb;
    const auto& known = inventory.instances;
    const bool has_auto = std::any_of(known.begin(), known.end(), [](const Instance& i) {
        return i.via == Via::automatic && !std::holds_alternative<TcpAddress>(i.address);
    });
    const bool asks_server = from_server || from_usb || has_auto;
    const auto patience = ground->opening_limit();
    const auto server = asks_server ? ground->server_view(patience) : nullptr;
    if (auto wanted = ground->still_wanted(); !wanted) return wanted;
    if (asks_server && !server) {
        const auto told = fmt::format("the adb server has not answered within {}", drover::to_string(patience));
        // What is written down does not need it, and phones may come later.
        if (alone && !ground->options().may_be_empty) return fail(Code::server_unreachable, told);
        log::warn("no phones from the adb server or on USB: {}", told);
    }
    const bool server_runs = server && !server->down;
    // Phones on USB are the server's where it runs and is asked at all: it shows them a moment later than sysfs.
    // One that hangs may have them.
    const bool free_usb = from_usb && !(from_server && server_runs) && (server || !asks_server);
    const auto usb = free_usb ? ground->usb_phones(ground->opening_limit()) : nullptr;
    if (auto wanted = ground->still_wanted(); !wanted) return wanted;
    if (server && server->down && from_server && !alone)
        log::warn("no phones from the adb server: {}", server->down->message);
    std::vector<adb::ServerDevice> listed;
    if (from_server && server) listed = server->devices;
    const auto plugged = usb ? *usb : std::vector<adb::UsbPhone>();
    std::span<const Instance> found_before;
    if (before) found_before = std::span(before->inventory.instances).subspan(before->given);
    auto found = fleet::instances_of(listed, plugged, known, found_before);
    fleet::note_usb_paths(server_runs ? server->devices : listed, plugged, inventory.instances);
    given = known.size();
    const auto known_twins = current_twins(found);
    for (auto& instance : found) {
        if (!known_twins.contains(instance.id)) inventory.instances.push_back(std::move(instance));
    }
    // Phones at different USB ports are different phones; any other two may be one.
    const bool only_ports =
        std::all_of(listed.begin(), listed.end(), [](const auto& d) { return !d.usb_path.empty(); });
    const bool stays = ground->options().may_be_empty;  // what discovery shows later counts too
    ambiguous = (from_server || from_usb) && (stays || given > 0 || !only_ports);
    if (ambiguous) ground->settle_identities();
    if (alone && inventory.instances.empty() && server && server->down && !ground->options().may_be_empty)
        return fail(server->down->code, (usb ? "no phone is on USB, and " : "") + server->down->message);
    for (Instance& instance : inventory.instances) {
        written.push_back(instance.via);
        instance.via = fleet::resolve_via(instance.via, instance.address, server_runs);
    }
    return {};
}

void Fleet::Impl::make_phones(const Impl* before) {
    std::unordered_map<std::string, std::size_t> old;
    identified = ground->settles_identities();
    // Once the same phone may be there twice, one that never says who it is would get commands twice: it is made anew.
    if (before && before->identified != identified) before = nullptr;
    for (std::size_t i = 0; before && i < before->phones.size(); ++i) old[before->inventory.instances[i].id] = i;
    phones.reserve(inventory.instances.size());
    using Rank = fleet::IdentityBook::Rank;
    const auto rank_in = [](const Impl& impl, std::size_t i) {
        return i < impl.given ? Rank::inventory : Rank::discovered;
    };
    std::vector<std::size_t> news, relabelled, moved;
    for (std::size_t i = 0; i < inventory.instances.size(); ++i) {
        const Instance& instance = inventory.instances[i];
        const auto it = old.find(instance.id);
        if (it != old.end() && written[i] == before->written[it->second] &&
            same_phone(instance, before->inventory.instances[it->second])) {
            const Instance& was = before->inventory.instances[it->second];
            phones.push_back(before->phones[it->second]);
            if (was.disabled != instance.disabled || was.disabled_why != instance.disabled_why) news.push_back(i);
            if (was.labels != instance.labels) relabelled.push_back(i);
            if (it->second != i || rank_in(*before, it->second) != rank_in(*this, i)) moved.push_back(i);
        } else {
            phones.push_back(ground->make_phone(i, instance, written[i], rank_in(*this, i)));
            if (instance.disabled) news.push_back(i);
        }
    }
    for (const std::size_t i : news) {
        ground->run_on(*phones[i], [&] { phones[i]->set_service(out_of_service(inventory.instances[i])); });
    }
    for (const std::size_t i : moved) {
        ground->run_on(*phones[i], [&] { phones[i]->set_place(i, rank_in(*this, i)); });
    }
    for (const std::size_t i : relabelled) {
        ground->run_on(*phones[i], [&] { phones[i]->set_labels(inventory.instances[i].labels); });
    }
}

void Fleet::Impl::drop_twins() {
    const auto twins = ground->identities().twins();
    for (std::size_t i = phones.size(); i-- > given;) {
        if (!twins.contains(inventory.instances[i].id)) continue;
        log::info("{} is the same phone as {}", inventory.instances[i].id, twins.at(inventory.instances[i].id));
        fleet::Phone& phone = *phones[i];
        ground->run_on(phone, [&] { phones[i].reset(); });
        const auto at = static_cast<std::ptrdiff_t>(i);
        phones.erase(phones.begin() + at);
        inventory.instances.erase(inventory.instances.begin() + at);
        written.erase(written.begin() + at);
    }
}

Fleet::Impl::~Impl() {
    LoopPool& pool = ground->pool();
    for (std::size_t l = 0; l < pool.size(); ++l) {
        pool.run_on(l, [&] {
            for (auto& phone : phones) {
                if (phone && &phone->loop() == &pool.at(l)) phone.reset();
            }
        });
    }
}

std::vector<fleet::Phone*> Fleet::Impl::phones_of(const std::vector<std::size_t>& targets) const {
    std::vector<fleet::Phone*> found;
    found.reserve(targets.size());
    for (const std::size_t t : targets) found.push_back(phones.at(t).get());
    return found;
}

}  // namespace drover
