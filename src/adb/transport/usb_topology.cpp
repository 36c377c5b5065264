#include "adb/transport/usb_topology.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "adb/transport/usb_interface.hpp"
#include "base/read_some.hpp"

namespace drover::adb {
namespace {

namespace fs = std::filesystem;

std::string text(const fs::path& file) {
    std::string content = read_some(file, UsbTree::kTextBytesMax);
    while (!content.empty() && (content.back() == '\n' || content.back() == '\0')) content.pop_back();
    std::replace_if(
        content.begin(), content.end(), [](char c) { return c < 0x20 || c == 0x7F; }, '?');
    return content;
}

unsigned number_in(const fs::path& file) {
    const std::string content = text(file);
    unsigned value = 0;
    std::from_chars(content.data(), content.data() + content.size(), value);
    return value;
}

bool is_device(std::string_view name) {
    return name.find('-') != std::string_view::npos && name.find_first_not_of("0123456789-.") == std::string_view::npos;
}
bool is_root_hub(std::string_view name) {
    return name.size() > 3 && name.starts_with("usb") &&
           name.find_first_not_of("0123456789", 3) == std::string_view::npos;
}

// "1-4.2" hangs on "1-4", "1-4" on "usb1".
std::string parent_of(const std::string& path) {
    const auto dot = path.rfind('.');
    return dot != std::string::npos ? path.substr(0, dot) : "usb" + path.substr(0, path.find('-'));
}
std::string bus_of(const std::string& path) { return "usb" + path.substr(0, path.find('-')); }

// The root hub's link leads to .../0000:00:14.0/usb1.
std::string controller_of(const fs::path& root_hub) {
    std::error_code error;
    const fs::path real = fs::canonical(root_hub, error);
    if (error || !fs::is_symlink(root_hub, error)) return root_hub.filename();
    return real.parent_path().filename();
}

UsbNodeInfo read_device(const fs::path& devices, const std::string& path) {
    UsbNodeInfo info;
    info.path = path;
    info.parent = parent_of(path);
    info.product = text(devices / path / "product");
    info.speed = number_in(devices / path / "speed");  // "1.5" counts as 1
    info.hub_ports = number_in(devices / path / "maxchild");
    const std::string raw = read_some(devices / path / "descriptors", kDescriptorBytesMax);
    const auto configuration = static_cast<std::uint8_t>(number_in(devices / path / "bConfigurationValue"));
    info.endpoints = count_endpoints(as_bytes(raw), configuration);
    info.phone = find_adb_interface(as_bytes(raw), configuration).has_value();
    return info;
}

}  // namespace

unsigned UsbController::endpoints() const {
    unsigned sum = 0;
    for (const auto& device : devices) sum += device.endpoints;
    return sum;
}

unsigned count_endpoints(ByteView d, std::uint8_t configuration) {
    unsigned found = 1;
    bool ours = false, first_setting = false;
    while (d.size() >= 2) {
        const std::size_t length = std::max<std::size_t>(d[0], 2);  // a zero length is stepped over
        if (length > d.size()) break;
        if (d[1] == kConfigurationType && length >= 6) ours = d[5] == configuration;
        if (d[1] == kInterfaceType && length >= 4) first_setting = d[3] == 0;
        if (d[1] == kEndpointType && length >= 3 && ours && first_setting) ++found;
        d = d.subspan(length);
    }
    return found;
}

std::vector<UsbController> read_usb_topology(const fs::path& devices) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator it(devices, error), end; !error && it != end; it.increment(error)) {
        names.push_back(it->path().filename());
    }
    std::sort(names.begin(), names.end());
    std::map<std::string, UsbController> controllers;
    std::map<std::string, std::string> owner;  // bus -> controller
    for (const auto& name : names) {
        if (!is_root_hub(name)) continue;
        const auto controller = controller_of(devices / name);
        owner[name] = controller;
        auto& c = controllers[controller];
        c.name = controller;
        c.buses.push_back(name);
        c.root_ports += number_in(devices / name / "maxchild");
    }
    for (const auto& name : names) {
        if (!is_device(name)) continue;
        const auto bus = bus_of(name);
        const auto controller = owner.try_emplace(bus, bus).first->second;
        auto& c = controllers[controller];
        c.name = controller;
        c.devices.push_back(read_device(devices, name));
    }
    std::vector<UsbController> all;
    for (auto& [name, controller] : controllers) all.push_back(std::move(controller));
    return all;
}

}  // namespace drover::adb
