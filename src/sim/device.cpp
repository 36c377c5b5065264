#include "sim/device.hpp"

#include <fmt/format.h>

namespace drover::sim {
namespace {

std::string filled(std::string text, std::string_view id, std::uint32_t number) {
    const auto replace = [&text](std::string_view what, const std::string& with) {
        for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
            text.replace(at, what.size(), with);
        }
    };
    replace("${id}", std::string(id));
    replace("${number}", std::to_string(number));
    return text;
}

}  // namespace

Device::Device(std::shared_ptr<const Profile> profile, std::string id, std::uint32_t number, std::uint64_t seed)
    : profile_(std::move(profile)), id_(std::move(id)), rng_(seed ^ (std::uint64_t{number} << 32)) {
    for (const auto& [name, value] : profile_->properties) properties_[name] = filled(value, id_, number);
    if (dice(FaultKind::equal_serial)) set_serial("0123456789ABCDEF");
    set_booted(true);
}

void Device::set_serial(const std::string& serial) {
    properties_["ro.serialno"] = serial;
    properties_["ro.boot.serialno"] = serial;
}

void Device::renew_serial() { set_serial(fmt::format("NEWSERIAL{:02}", rng_.next() % kNewSerials)); }

std::uint32_t Device::next_stream_id() {
    if (++last_stream_ == 0) ++last_stream_;
    return last_stream_;
}

std::string Device::banner() const {
    std::string text = "device::";
    for (const char* key : {"ro.product.name", "ro.product.model", "ro.product.device"}) {
        text += fmt::format("{}={};", key, property(key));
    }
    if (profile_->protocol == Protocol::old) {
        text.push_back('\0');
        return text;
    }
    return text + fmt::format("features={}", fmt::join(profile_->features, ","));
}

std::string Device::property(std::string_view name) const {
    const auto it = properties_.find(std::string(name));
    return it == properties_.end() ? std::string() : it->second;
}

void Device::set_booted(bool booted) {
    booted_ = booted;
    if (booted) {
        properties_["sys.boot_completed"] = "1";
        properties_["init.svc.bootanim"] = "stopped";
    } else {
        properties_.erase("sys.boot_completed");
        properties_["init.svc.bootanim"] = "running";
    }
}

}  // namespace drover::sim
