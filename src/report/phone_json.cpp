#include "report/phone_json.hpp"

#include "base/json_view.hpp"
#include "base/utf8.hpp"

namespace drover::report {

namespace json = boost::json;

std::string with_holder(const std::string& why, const std::string& held_by) {
    if (held_by.empty() || why.empty()) return why + held_by;
    return why + "; " + held_by;
}

json::object phone_object(const PhoneInfo& phone) {
    json::object labels;
    for (const auto& [key, value] : phone.instance.labels) labels[key] = value;
    const auto via = to_string(phone.instance.via);
    json::object o;
    o["instance_id"] = phone.instance.id;
    o["via"] = json_view(via);
    // A server lists serials as the phones sent them: any bytes.
    o["address"] = sanitize_utf8(to_string(phone.instance.address));
    o["serial"] = sanitize_utf8(phone.instance.serial);
    o["state"] = phone.adb_state;
    o["product"] = phone.product;
    o["model"] = phone.model;
    o["device"] = phone.device;
    o["labels"] = std::move(labels);
    o["disabled"] = phone.instance.disabled;
    o["why"] = sanitize_utf8(phone.why);
    o["held_by"] = phone.held_by;
    return o;
}

}  // namespace drover::report
