#include "usb/usb_node.hpp"

#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

namespace drover::test {
namespace {

constexpr unsigned char kIn = 0x81, kOut = 0x01;

usbdevfs_urb* urb_of(UMockdevIoctlData* data) { return reinterpret_cast<usbdevfs_urb*>(data->data); }

struct Unref {
    void operator()(UMockdevIoctlData* data) const { umockdev_ioctl_data_unref(data); }
};
using DataRef = std::unique_ptr<UMockdevIoctlData, Unref>;

// Null when the host has died inside its ioctl.
DataRef resolve(UMockdevIoctlData* data, std::size_t offset, std::size_t size) {
    return DataRef(umockdev_ioctl_data_resolve(data, offset, size, nullptr));
}
DataRef buffer_of(UMockdevIoctlData* data) {
    return resolve(data, offsetof(usbdevfs_urb, buffer), static_cast<std::size_t>(urb_of(data)->buffer_length));
}

// A value that the host asked for.
template <class T>
bool give(UMockdevIoctlData* argument, const T& value) {
    const DataRef data = resolve(argument, 0, sizeof value);
    if (data) std::memcpy(data->data, &value, sizeof value);
    return data != nullptr;
}

}  // namespace

UsbNode::UsbNode(UsbNodeOptions options, OnOut on_out, OnClaim on_claim)
    : options_(options),
      on_out_(std::move(on_out)),
      on_claim_(std::move(on_claim)),
      handler_(umockdev_ioctl_base_new()) {
    if (::openpty(&master_, &slave_, nullptr, nullptr, nullptr) != 0)
        throw std::system_error(errno, std::generic_category(), "openpty");
    ::fcntl(master_, F_SETFD, FD_CLOEXEC);
    ::fcntl(slave_, F_SETFD, FD_CLOEXEC);
    level();
    g_signal_connect_data(handler_, "handle-ioctl", reinterpret_cast<GCallback>(on_ioctl), this, nullptr,
                          GConnectFlags{});
}

UsbNode::~UsbNode() {
    set_owner(nullptr);
    g_signal_handlers_disconnect_matched(handler_, G_SIGNAL_MATCH_DATA, 0, 0, nullptr, nullptr, this);
    g_object_unref(handler_);
    drop_urbs();
    if (slave_ >= 0) ::close(slave_);
    if (master_ >= 0) ::close(master_);
}

std::string UsbNode::terminal() const {
    std::array<char, 64> name{};
    ::ptsname_r(master_, name.data(), name.size());
    return name.data();
}

void UsbNode::level() {
    if (slave_ >= 0) ::ioctl(slave_, TCXONC, done_.empty() ? TCOOFF : TCOON);
}

void UsbNode::drop_urbs() {
    for (auto* urb : std::exchange(parked_, {})) umockdev_ioctl_data_unref(urb);
    for (const Done& d : std::exchange(done_, {})) umockdev_ioctl_data_unref(d.urb);
}

void UsbNode::say(ByteView transfer) {
    const std::lock_guard lock(mutex_);
    if (transfer.empty()) to_host_.emplace_back();
    while (!transfer.empty()) {
        const ByteView packet = transfer.first(std::min(options_.packet_bytes, transfer.size()));
        to_host_.emplace_back(packet.begin(), packet.end());
        transfer = transfer.subspan(packet.size());
    }
    fill();
}

void UsbNode::fill() {
    while (!to_host_.empty() && !parked_.empty()) {
        auto* const data = parked_.front();
        usbdevfs_urb& urb = *urb_of(data);
        const DataRef buffer = buffer_of(data);
        bool ends = false;
        int status = 0;
        while (!ends && !to_host_.empty()) {
            const auto& packet = to_host_.front();
            const auto have = static_cast<std::size_t>(urb.actual_length);
            const std::size_t room = static_cast<std::size_t>(urb.buffer_length) - have;
            const std::size_t n = std::min(room, packet.size());
            std::memcpy(buffer->data + have, packet.data(), n);
            urb.actual_length += static_cast<int>(n);
            if (packet.size() > room) status = -EOVERFLOW;
            ends = packet.size() >= room || packet.size() < options_.packet_bytes;
            to_host_.pop_front();
        }
        if (!ends) break;
        parked_.pop_front();
        done_.push_back({data, status});
    }
    level();
}

void UsbNode::fail_read(int status) {
    const std::lock_guard lock(mutex_);
    if (parked_.empty()) {
        read_status_ = status;
        return;
    }
    done_.push_back({parked_.front(), status});
    parked_.pop_front();
    level();
}

bool UsbNode::wait_until_free(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return freed_.wait_for(lock, limit, [this] { return owner_ == nullptr; });
}

bool UsbNode::wait_until_reset(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return reset_.wait_for(lock, limit, [this] { return seen_.resets > 0; });
}

void UsbNode::vanish() {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    for (auto* urb : std::exchange(parked_, {})) done_.push_back({urb, -ESHUTDOWN});
    level();
    ::close(std::exchange(slave_, -1));
    ::close(std::exchange(master_, -1));  // a hang-up: libusb's poll reports an error
}

UsbNode::Seen UsbNode::seen() {
    const std::lock_guard lock(mutex_);
    Seen s = seen_;
    s.parked = parked_.size();
    s.unread = to_host_.size();
    return s;
}

// umockdev has a signal for this and does not send it; the client object's end is the same moment.
void UsbNode::on_client_gone(gpointer data, GObject*) {
    auto* const self = static_cast<UsbNode*>(data);
    const std::lock_guard lock(self->mutex_);
    self->owner_ = nullptr;
    // As the kernel does when the last descriptor is closed.
    self->drop_urbs();
    self->level();
    self->freed_.notify_all();
}

void UsbNode::set_owner(UMockdevIoctlClient* client) {
    if (owner_) g_object_weak_unref(reinterpret_cast<GObject*>(owner_), on_client_gone, this);
    owner_ = client;
    if (owner_) g_object_weak_ref(reinterpret_cast<GObject*>(owner_), on_client_gone, this);
    if (!owner_) freed_.notify_all();
}

gboolean UsbNode::on_ioctl(UMockdevIoctlBase*, UMockdevIoctlClient* client, UsbNode* self) {
    Answer answer{};
    {
        const std::lock_guard lock(self->mutex_);
        answer = self->ioctl(client, umockdev_ioctl_client_get_request(client), umockdev_ioctl_client_get_arg(client));
        self->level();
    }
    umockdev_ioctl_client_complete(client, answer.result, answer.error);
    return TRUE;
}

UsbNode::Answer UsbNode::ioctl(UMockdevIoctlClient* client, unsigned long request, UMockdevIoctlData* argument) {
    const bool reaps = request == USBDEVFS_REAPURB || request == USBDEVFS_REAPURBNDELAY;
    if (gone_ && !reaps) return {-1, ENODEV};
    switch (request) {
        case USBDEVFS_GET_CAPABILITIES: {
            const guint32 all = USBDEVFS_CAP_ZERO_PACKET | USBDEVFS_CAP_BULK_CONTINUATION |
                                USBDEVFS_CAP_NO_PACKET_SIZE_LIM | USBDEVFS_CAP_BULK_SCATTER_GATHER |
                                USBDEVFS_CAP_REAP_AFTER_DISCONNECT;
            return give(argument, all) ? Answer{0, 0} : Answer{-1, EFAULT};
        }
        case USBDEVFS_CONNECTINFO: {
            usbdevfs_connectinfo info{};
            info.devnum = 1;
            return give(argument, info) ? Answer{0, 0} : Answer{-1, EFAULT};
        }
        case USBDEVFS_GET_SPEED: return {options_.packet_bytes > 512 ? 5 : 3, 0};
        case USBDEVFS_CONTROL: return control(argument);
        case USBDEVFS_CLAIMINTERFACE:
            if (options_.claimed_elsewhere || (owner_ && owner_ != client)) return {-1, EBUSY};
            set_owner(client);
            ++seen_.claims;
            on_claim_();
            return {0, 0};
        case USBDEVFS_RELEASEINTERFACE:
            if (owner_ != client) return {-1, EINVAL};
            set_owner(nullptr);
            ++seen_.releases;
            return {0, 0};
        case USBDEVFS_CLEAR_HALT:
        case USBDEVFS_SETINTERFACE: return {0, 0};
        case USBDEVFS_SUBMITURB: return submit(client, argument);
        case USBDEVFS_DISCARDURB: return discard(argument);
        case USBDEVFS_REAPURB:
        case USBDEVFS_REAPURBNDELAY: return reap(argument);
        case USBDEVFS_RESET:
            ++seen_.resets;
            reset_.notify_all();
            return {0, 0};
        default: return {-1, ENOTTY};
    }
}

// GET_CONFIGURATION, which libusb asks of a wrapped descriptor.
UsbNode::Answer UsbNode::control(UMockdevIoctlData* argument) {
    const DataRef data = resolve(argument, 0, sizeof(usbdevfs_ctrltransfer));
    if (!data) return {-1, EFAULT};
    const auto& request = *reinterpret_cast<usbdevfs_ctrltransfer*>(data->data);
    if (request.bRequestType != 0x80 || request.bRequest != 8 || request.wLength != 1) return {-1, EPIPE};
    const DataRef value = resolve(data.get(), offsetof(usbdevfs_ctrltransfer, data), 1);
    if (!value) return {-1, EFAULT};
    value->data[0] = 1;
    return {1, 0};
}

UsbNode::Answer UsbNode::submit(UMockdevIoctlClient* client, UMockdevIoctlData* argument) {
    if (client != owner_) return {-1, ENOENT};
    DataRef data = resolve(argument, 0, sizeof(usbdevfs_urb));
    if (!data) return {-1, EFAULT};
    usbdevfs_urb& urb = *urb_of(data.get());
    const auto size = static_cast<std::size_t>(urb.buffer_length);
    if (urb.type != USBDEVFS_URB_TYPE_BULK || (urb.endpoint != kIn && urb.endpoint != kOut)) return {-1, ENOENT};
    if (options_.memory_bytes_max > 0 && size > options_.memory_bytes_max) {
        ++seen_.no_memory;
        return {-1, ENOMEM};
    }
    seen_.largest_transfer = std::max(seen_.largest_transfer, size);
    urb.actual_length = 0;
    // Resolved now, while the host is in its ioctl and its memory can be reached; a read's is filled later.
    const DataRef buffer = buffer_of(data.get());
    if (!buffer && size > 0) return {-1, EFAULT};
    if (urb.endpoint == kIn) {
        seen_.read_sizes.push_back(size);
        if (read_status_ != 0) {
            done_.push_back({data.release(), std::exchange(read_status_, 0)});
            return {0, 0};
        }
        parked_.push_back(data.release());
        fill();
        return {0, 0};
    }
    std::vector<std::uint8_t> transfer;
    if (size > 0) transfer.assign(buffer->data, buffer->data + size);
    urb.actual_length = urb.buffer_length;
    done_.push_back({data.release(), 0});
    on_out_(std::move(transfer));
    return {0, 0};
}

UsbNode::Answer UsbNode::reap(UMockdevIoctlData* argument) {
    if (done_.empty()) return {-1, gone_ ? ENODEV : EAGAIN};
    const DataRef pointer = resolve(argument, 0, sizeof(gpointer));
    if (!pointer) return {-1, EFAULT};
    const DataRef urb(done_.front().urb);
    urb_of(urb.get())->status = done_.front().status;
    done_.pop_front();
    umockdev_ioctl_data_set_ptr(pointer.get(), 0, urb.get());
    return {0, 0};
}

UsbNode::Answer UsbNode::discard(UMockdevIoctlData* argument) {
    gulong address = 0;
    std::memcpy(&address, argument->data, sizeof address);
    const auto it =
        std::find_if(parked_.begin(), parked_.end(), [&](const auto* urb) { return urb->client_addr == address; });
    if (it == parked_.end()) return {-1, EINVAL};
    done_.push_back({*it, -ENOENT});
    parked_.erase(it);
    return {0, 0};
}

}  // namespace drover::test
