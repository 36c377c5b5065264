#include "fleet/discovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/ascii.hpp"
#include "base/id_ranges.hpp"

namespace drover::fleet {
namespace {

// What cannot stand in an id becomes '-'. A text that is too long keeps its end, where serials differ.
std::string fit_for_id(std::string_view text) {
    std::string id;
    for (const char c : text) {
        id += is_alnum(c) || c == '.' || c == '_' || c == '-' ? c : '-';
    }
    if (id.size() > kInstanceIdMax) id.erase(0, id.size() - kInstanceIdMax);
    const auto first = id.find_first_not_of("._-");
    return first == std::string::npos ? std::string() : id.substr(first);
}

std::string unused(const std::string& wish, const std::set<std::string>& taken) {
    if (!taken.contains(wish)) return wish;
    for (int n = 2;; ++n) {
        const std::string suffix = fmt::format("-{}", n);
        std::string id = wish.substr(0, kInstanceIdMax - suffix.size()) + suffix;
        if (!taken.contains(id)) return id;
    }
}

bool is_known(const adb::ServerDevice& row, const Instance& instance) {
    const auto* usb = std::get_if<UsbPath>(&instance.address);
    if (usb && !row.usb_path.empty()) return usb->path == row.usb_path;
    return !row.serial.empty() && (instance.serial == row.serial || to_string(instance.address) == row.serial);
}

// Plugged in where it was: a phone that had no serial then may have told it by now.
bool is_where_it_was(const adb::ServerDevice& row, const Instance& was) {
    const auto* usb = std::get_if<UsbPath>(&was.address);
    return usb && usb->path == row.usb_path && (was.serial.empty() || was.serial == row.serial);
}

// One row for each phone that either of the two shows.
std::vector<adb::ServerDevice> both(std::span<const adb::ServerDevice> listed, std::span<const adb::UsbPhone> usb) {
    std::vector<adb::ServerDevice> rows(listed.begin(), listed.end());
    for (const adb::UsbPhone& phone : usb) {
        const bool there = std::any_of(listed.begin(), listed.end(),
                                       [&](const adb::ServerDevice& row) { return row.usb_path == phone.path; });
        if (there) continue;
        adb::ServerDevice row;
        row.serial = phone.serial;
        row.usb_path = phone.path;
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace

std::vector<Instance> instances_of(std::span<const adb::ServerDevice> listed, std::span<const adb::UsbPhone> usb,
                                   std::span<const Instance> known, std::span<const Instance> before) {
    auto rows = both(listed, usb);
    std::map<std::string, int> count;
    for (const auto& row : rows) ++count[row.serial];
    std::erase_if(rows, [&](const auto& row) {
        return std::any_of(known.begin(), known.end(), [&](const Instance& i) { return is_known(row, i); });
    });
    std::set<std::string> taken;
    for (const Instance& i : known) taken.insert(i.id);
    // Ids that are kept come first: no newcomer may have one.
    std::vector<std::string> kept(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto was =
            std::find_if(before.begin(), before.end(), [&](const Instance& b) { return is_where_it_was(rows[i], b); });
        if (was != before.end() && taken.insert(was->id).second) kept[i] = was->id;
    }
    std::vector<Instance> found;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& row = rows[i];
        const bool by_path = row.serial.empty() || count[row.serial] > 1;
        if (by_path && row.usb_path.empty()) continue;  // nothing tells it from its twin
        Instance instance;
        instance.via = row.usb_path.empty() ? Via::server : Via::automatic;
        instance.serial = row.serial;
        instance.usb_path = row.usb_path;
        if (row.usb_path.empty()) {
            instance.address = Serial{row.serial};
        } else {
            instance.address = UsbPath{row.usb_path, row.serial};
        }
        instance.id = kept[i];
        if (instance.id.empty()) {
            std::string wish = fit_for_id(by_path ? "usb-" + row.usb_path : row.serial);
            instance.id = unused(wish.empty() ? "phone" : wish, taken);
            taken.insert(instance.id);
        }
        if (!row.model.empty()) instance.labels["model"] = row.model;
        found.push_back(std::move(instance));
    }
    return found;
}

void note_usb_paths(std::span<const adb::ServerDevice> listed, std::span<const adb::UsbPhone> usb,
                    std::span<Instance> known) {
    const auto rows = both(listed, usb);
    for (Instance& instance : known) {
        std::set<std::string> paths;
        for (const auto& row : rows) {
            if (!row.usb_path.empty() && is_known(row, instance)) paths.insert(row.usb_path);
        }
        if (paths.size() == 1) instance.usb_path = *paths.begin();  // of more, nobody knows which
    }
}

}  // namespace drover::fleet
