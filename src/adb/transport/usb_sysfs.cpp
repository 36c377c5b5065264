#include "adb/transport/usb_sysfs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/read_some.hpp"

namespace drover::adb {
namespace {

namespace fs = std::filesystem;

std::optional<unsigned> parse_number(std::string_view text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// "1-4.2", not "usb1" (a root hub) nor "1-4.2:1.0" (an interface).
bool is_port(std::string_view name) {
    return name.find('-') != std::string_view::npos && name.find_first_not_of("0123456789-.") == std::string_view::npos;
}

// What people see in a message: sysfs passes on what the device says.
std::string printable(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < 0x20 || c == 0x7F; }, '?');
    return text;
}

Result<UsbPhone> with_interface(UsbPhone phone) {
    if (phone.interface) return phone;
    return fail(Code::phone_not_found,
                fmt::format("the device at usb:{} ({}) offers no ADB interface: turn on USB debugging", phone.path,
                            phone.product.empty() ? "unnamed" : phone.product));
}

}  // namespace

UsbTree::UsbTree(fs::path devices, fs::path nodes) : devices_(std::move(devices)), nodes_(std::move(nodes)) {}

std::string UsbTree::text(const std::string& path, const char* attribute) const {
    std::string content = read_some(devices_ / path / attribute, kTextBytesMax);
    while (!content.empty() && (content.back() == '\n' || content.back() == '\0')) content.pop_back();
    return content;
}

std::vector<std::string> UsbTree::paths() const {
    std::vector<std::string> found;
    std::error_code error;
    for (fs::directory_iterator it(devices_, error), end; !error && it != end; it.increment(error)) {
        std::string name = it->path().filename();
        if (is_port(name)) found.push_back(std::move(name));
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::optional<UsbPhone> UsbTree::read(const std::string& path) const {
    const auto bus = parse_number(text(path, "busnum"));
    const auto device = parse_number(text(path, "devnum"));
    if (!bus || !device) return std::nullopt;
    UsbPhone phone;
    phone.path = path;
    phone.serial = text(path, "serial");
    phone.product = printable(text(path, "product"));
    phone.node = fmt::format("{}/{:03}/{:03}", nodes_.string(), *bus, *device);
    // Empty for a device without power, or one that nobody configured.
    const auto configuration = parse_number(text(path, "bConfigurationValue"));
    if (configuration && *configuration <= 0xFF) {
        const std::string raw = read_some(devices_ / path / "descriptors", kDescriptorBytesMax);
        phone.interface = find_adb_interface(as_bytes(raw), static_cast<std::uint8_t>(*configuration));
    }
    return phone;
}

std::vector<UsbPhone> UsbTree::phones() const {
    std::vector<UsbPhone> found;
    for (const auto& path : paths()) {
        auto phone = read(path);
        if (phone && phone->interface) found.push_back(std::move(*phone));
    }
    return found;
}

Result<UsbPhone> UsbTree::find(const Address& address) const {
    if (const auto* usb = std::get_if<UsbPath>(&address)) {
        auto phone = is_port(usb->path) ? read(usb->path) : std::nullopt;
        if (phone && !usb->serial.empty() && phone->serial != usb->serial) {
            return fail(Code::phone_not_found,
                        fmt::format("at {} another one is plugged in now, not {}", to_string(address), usb->serial));
        }
        if (phone) return with_interface(std::move(*phone));
        return fail(Code::phone_not_found, fmt::format("no USB device at {}", to_string(address)));
    }
    const auto* wanted = std::get_if<Serial>(&address);
    if (!wanted) return fail(Code::phone_not_found, fmt::format("{} is no address on USB", to_string(address)));
    std::vector<UsbPhone> found;
    for (const auto& path : paths()) {
        if (text(path, "serial") != wanted->serial) continue;
        if (auto phone = read(path)) found.push_back(std::move(*phone));
    }
    // A hub or a stick may have the serial of a phone, even ours.
    if (std::any_of(found.begin(), found.end(), [](const UsbPhone& p) { return p.interface.has_value(); })) {
        std::erase_if(found, [](const UsbPhone& p) { return !p.interface; });
    }
    if (found.empty()) return fail(Code::phone_not_found, fmt::format("no USB device with serial {}", wanted->serial));
    if (found.size() > 1) {
        return fail(Code::phone_not_found,
                    fmt::format("{} USB devices have the serial {}, at usb:{} and usb:{}: give the path as the address",
                                found.size(), wanted->serial, found[0].path, found[1].path));
    }
    return with_interface(std::move(found[0]));
}

}  // namespace drover::adb
