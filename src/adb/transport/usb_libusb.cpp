#include "adb/transport/usb_libusb.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "adb/transport/usb_context.hpp"
#include "adb/transport/usb_holder.hpp"
#include "adb/transport/usb_libusb_device.hpp"
#include "base/log.hpp"

namespace drover::adb {
namespace {

// Between the worker that opens and the loop that waits, and may stop waiting at any time.
struct Ticket {
    std::mutex mutex;
    Loop* loop;  // null: nobody waits
    UsbBus::Opened opened;
};

class Opening final : public UsbOpening {
public:
    Opening(Loop& loop, UsbBus::Opened opened) : ticket(std::make_shared<Ticket>()) {
        ticket->loop = &loop;
        ticket->opened = std::move(opened);
    }
    ~Opening() override {
        const std::lock_guard lock(ticket->mutex);
        ticket->loop = nullptr;
        ticket->opened = nullptr;
    }
    std::shared_ptr<Ticket> ticket;
};

void answer(const std::shared_ptr<Ticket>& ticket, Result<std::unique_ptr<UsbDevice>> device) {
    const std::lock_guard lock(ticket->mutex);
    if (!ticket->loop) return;
    ticket->loop->post([ticket, device = std::move(device)]() mutable {
        UsbBus::Opened opened;
        {
            const std::lock_guard inner(ticket->mutex);
            opened = std::exchange(ticket->opened, nullptr);
        }
        if (opened) opened(std::move(device));
    });
}

Error cannot_open(const UsbPhone& phone, int error) {
    switch (error) {
        case EACCES:
        case EPERM:
            return Error(
                Code::no_permission,
                fmt::format(
                    "no permission to open {} (usb:{}): copy drover's devices/51-drover.rules to /etc/udev/rules.d and "
                    "plug the phone in again",
                    phone.node, phone.path));
        case EMFILE:
        case ENFILE:
        case ENOMEM:
            return Error(Code::out_of_resources, fmt::format("cannot open {}: {}", phone.node, std::strerror(error)));
        default:
            return Error(Code::phone_not_found, fmt::format("cannot open {}: {}", phone.node, std::strerror(error)));
    }
}

Error cannot_claim(const UsbPhone& phone, int rc) {
    if (rc == LIBUSB_ERROR_BUSY) {
        return Error(Code::interface_busy, describe_usb_holders(find_usb_holders(phone.node, ::getpid())));
    }
    const Code code = rc == LIBUSB_ERROR_NO_MEM ? Code::out_of_resources : Code::phone_not_found;
    return Error(code, fmt::format("cannot use the ADB interface at usb:{}: {}", phone.path, libusb_strerror(rc)));
}

int claim(libusb_device_handle* handle, const UsbInterface& interface) {
    if (const int rc = libusb_claim_interface(handle, interface.number); rc != LIBUSB_SUCCESS) return rc;
    if (interface.alternate != 0) {
        const int rc = libusb_set_interface_alt_setting(handle, interface.number, interface.alternate);
        if (rc != LIBUSB_SUCCESS) return rc;
    }
    // An earlier owner may have ended in the middle of a transfer; AOSP does the same. A phone that refuses it works anyway.
    for (const std::uint8_t endpoint : {interface.in, interface.out}) {
        const int rc = libusb_clear_halt(handle, endpoint);
        if (rc != LIBUSB_SUCCESS) log::debug("clear halt of endpoint 0x{:02x}: {}", endpoint, libusb_strerror(rc));
    }
    return LIBUSB_SUCCESS;
}

// Blocks: a worker's job.
Result<std::unique_ptr<UsbDevice>> open_now(UsbContext& context, const UsbTree& tree, Loop& loop,
                                            const Address& address) {
    auto phone = tree.find(address);
    if (!phone) return tl::unexpected(phone.error());
    const int fd = ::open(phone->node.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return tl::unexpected(cannot_open(*phone, errno));
    // The descriptor decides which device is used: sysfs named it, and libusb's own list, which may be stale, is not asked.
    libusb_device_handle* handle = nullptr;
    if (const int rc = libusb_wrap_sys_device(context.get(), fd, &handle); rc != LIBUSB_SUCCESS) {
        ::close(fd);
        return tl::unexpected(cannot_claim(*phone, rc));
    }
    if (const int rc = claim(handle, *phone->interface); rc != LIBUSB_SUCCESS) {
        libusb_close(handle);
        ::close(fd);
        return tl::unexpected(cannot_claim(*phone, rc));
    }
    return std::unique_ptr<UsbDevice>(
        std::make_unique<LibusbDevice>(context, loop, handle, fd, *phone->interface, to_string(address)));
}

// Hotplug rings, sysfs tells. Without libusb the watcher's own scans are all there is.
class Watching final : public UsbWatching {
public:
    Watching(UsbContext* context, const UsbTree& tree, UsbWatcher::Changed changed)
        : context_(context), watcher_([tree] { return tree.phones(); }, std::move(changed)) {
        if (context_) context_->on_hotplug([this] { watcher_.ring(); });
    }
    ~Watching() override {
        if (context_) context_->on_hotplug({});
    }

private:
    UsbContext* const context_;
    UsbWatcher watcher_;
};

}  // namespace

LibusbBus::LibusbBus(UsbTree tree) : tree_(std::move(tree)) {
    auto context = UsbContext::make();
    if (context) {
        context_ = std::move(*context);
    } else {
        unusable_ = context.error();
    }
}

LibusbBus::~LibusbBus() {
    if (context_ && !context_->finish(kCloseWait)) {
        log::warn("a USB device does not close; it is left to the kernel");
        (void)context_.release();
    }
}

std::unique_ptr<UsbOpening> LibusbBus::open(Loop& loop, const Address& address, Opened opened) {
    auto opening = std::make_unique<Opening>(loop, std::move(opened));
    if (unusable_) {
        answer(opening->ticket, tl::unexpected(*unusable_));
        return opening;
    }
    // Nothing of the bus itself: a device that hangs while it is opened may outlast it.
    context_->work(to_string(address),
                   [context = context_.get(), tree = tree_, &loop, address, ticket = opening->ticket] {
                       {
                           const std::lock_guard lock(ticket->mutex);
                           if (!ticket->loop) return;
                       }
                       answer(ticket, open_now(*context, tree, loop, address));
                   });
    return opening;
}

void LibusbBus::reset(const Address& address) {
    if (!context_) return;
    context_->work(to_string(address), [tree = tree_, address] {
        const auto phone = tree.find(address);
        if (!phone) return log::warn("USB reset: {}", phone.error().message);
        const int fd = ::open(phone->node.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (fd < 0) return log::warn("USB reset: {}", cannot_open(*phone, errno).message);
        if (::ioctl(fd, USBDEVFS_RESET, nullptr) != 0)
            log::warn("USB reset of usb:{}: {}", phone->path, std::strerror(errno));
        ::close(fd);
    });
}

std::unique_ptr<UsbWatching> LibusbBus::watch(UsbWatcher::Changed changed) {
    return std::make_unique<Watching>(context_.get(), tree_, std::move(changed));
}

}  // namespace drover::adb
