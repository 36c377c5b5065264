#include "fleet/identity.hpp"

#include "base/log.hpp"

namespace drover::fleet {

std::string IdentityBook::claim(const std::string& id, Rank rank, const std::string& serial,
                                const std::string& usb_path, std::size_t order, GiveWay give_way, bool* asked,
                                const void* owner) {
    const std::lock_guard lock(mutex_);
    std::erase_if(holders_, [&](const auto& h) { return h.second.id == id; });
    const auto [begin, end] = holders_.equal_range(serial);
    for (auto it = begin; it != end && !serial.empty(); ++it) {
        const Holder& holder = it->second;
        const bool two_ports = !usb_path.empty() && !holder.usb_path.empty() && usb_path != holder.usb_path;
        if (two_ports) continue;
        // Of two that the inventory names, both stay: a person has to say which one is meant.
        if (rank == Rank::inventory && holder.rank == Rank::inventory) {
            const bool earlier = order < holder.order;
            const auto pair = earlier ? std::pair(id, holder.id) : std::pair(holder.id, id);
            if (warned_.insert(pair).second) {
                log::warn("{} and {} of the inventory have the same serial number {}: commands go to {} only",
                          pair.first, pair.second, serial, pair.first);
            }
            if (earlier && holder.give_way) {
                holder.give_way(id);
                asked_.insert(id);
                if (asked) *asked = true;
            }
        }
        bool grown = false;
        if (rank == Rank::discovered) {
            grown = twins_.emplace(id, holder.id).second;
        } else if (holder.rank == Rank::discovered) {
            grown = twins_.emplace(holder.id, id).second;
        }
        if (grown && found_) found_();
        return holder.id;
    }
    asked_.erase(id);
    holders_.emplace(serial, Holder{id, rank, usb_path, order, std::move(give_way), owner});
    return {};
}

void IdentityBook::release(const std::string& id, const void* owner) {
    const std::lock_guard lock(mutex_);
    release_locked(id, owner);
}

void IdentityBook::withdraw(const std::string& id, const void* owner) {
    const std::lock_guard lock(mutex_);
    release_locked(id, owner);
    asked_.erase(id);
}

void IdentityBook::release_locked(const std::string& id, const void* owner) {
    std::erase_if(holders_, [&](const auto& h) {
        return h.second.id == id && (!owner || !h.second.owner || h.second.owner == owner);
    });
}

void IdentityBook::set_place(const std::string& id, Rank rank, std::size_t order, const void* owner) {
    const std::lock_guard lock(mutex_);
    for (auto& [serial, holder] : holders_) {
        if (holder.id != id || (owner && holder.owner && holder.owner != owner)) continue;
        holder.rank = rank;
        holder.order = order;
    }
}

bool IdentityBook::hand_over(const std::string& from, const std::string& to) {
    const std::lock_guard lock(mutex_);
    if (!asked_.contains(to)) return false;
    for (auto& [serial, holder] : holders_) {
        if (holder.id == from) holder = Holder{to, Rank::inventory, ""};
    }
    return true;
}

std::map<std::string, std::string> IdentityBook::twins() const {
    const std::lock_guard lock(mutex_);
    return twins_;
}

void IdentityBook::forget(const std::string& id) {
    const std::lock_guard lock(mutex_);
    std::erase_if(twins_, [&](const auto& t) { return t.second == id; });
}

void IdentityBook::on_twin(std::function<void()> found) {
    const std::lock_guard lock(mutex_);
    found_ = std::move(found);
}

}  // namespace drover::fleet
