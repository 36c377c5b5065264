// The rows of host:devices-l.
#include <charconv>

#include "adb/smart_socket.hpp"
#include "base/utf8.hpp"

namespace drover::adb {
namespace {

constexpr std::string_view kNoSerial = "(no serial number)";

std::string_view trim_end(std::string_view text) {
    while (text.ends_with(' ') || text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

// Cuts " key:value" off the end of `row`, where it is the last such field.
std::string cut_field(std::string_view& row, std::string_view key) {
    const auto at = row.rfind(key);
    if (at == std::string_view::npos) return {};
    std::string value(trim_end(row.substr(at + key.size())));
    row = row.substr(0, at);
    return value;
}

// serial, padded to 22 columns, a space, the state: `connection_state_name` of AOSP's transport.cpp.
void split_serial_and_state(std::string_view row, ServerDevice& device) {
    row = trim_end(row);
    auto at = row.rfind(" no permissions");  // the one state with spaces; its prose holds parentheses and a link
    if (at == std::string_view::npos) at = row.rfind(' ');
    const std::string_view serial = at == std::string_view::npos ? std::string_view() : trim_end(row.substr(0, at));
    device.state_text = at == std::string_view::npos ? row : row.substr(at + 1);
    device.state = parse_adb_state(device.state_text);
    if (serial != kNoSerial) device.serial = serial;
}

bool parse_row(std::string_view row, ServerDevice& device) {
    const std::string id = cut_field(row, " transport_id:");
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), device.transport_id);
    if (error != std::errc() || end != id.data() + id.size() || device.transport_id == 0) return false;
    device.device = sanitize_utf8(cut_field(row, " device:"));
    device.model = sanitize_utf8(cut_field(row, " model:"));
    device.product = sanitize_utf8(cut_field(row, " product:"));
    device.usb_path = cut_field(row, " usb:");
    split_serial_and_state(row, device);
    return !device.state_text.empty();
}

}  // namespace

ServerDeviceList parse_device_list(std::string_view body) {
    ServerDeviceList list;
    while (!body.empty()) {
        const auto end = body.find('\n');
        const std::string_view row = trim_end(body.substr(0, end));
        body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
        if (row.empty()) continue;
        ServerDevice device;
        if (parse_row(row, device)) {
            list.devices.push_back(std::move(device));
        } else {
            list.ignored.emplace_back(row);
        }
    }
    return list;
}

}  // namespace drover::adb
