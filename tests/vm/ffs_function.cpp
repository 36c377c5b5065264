#include "vm/ffs_function.hpp"

#include <fcntl.h>
#include <linux/usb/ch9.h>
#include <linux/usb/functionfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>

namespace drover::test {
namespace {

struct Interface {
    usb_interface_descriptor interface;
    usb_endpoint_descriptor_no_audio in;
    usb_endpoint_descriptor_no_audio out;
} __attribute__((packed));

struct Descriptors {
    usb_functionfs_descs_head_v2 head;
    std::uint32_t full_count, high_count;
    Interface full, high;
} __attribute__((packed));

constexpr char kName[] = "ADB Interface";
struct Strings {
    usb_functionfs_strings_head head;
    std::uint16_t language;
    char name[sizeof kName];
} __attribute__((packed));

Interface adb_interface(std::uint16_t packet_bytes) {
    Interface d{};
    d.interface.bLength = sizeof d.interface;
    d.interface.bDescriptorType = USB_DT_INTERFACE;
    d.interface.bNumEndpoints = 2;
    d.interface.bInterfaceClass = USB_CLASS_VENDOR_SPEC;
    d.interface.bInterfaceSubClass = 0x42;
    d.interface.bInterfaceProtocol = 0x01;
    d.interface.iInterface = 1;
    d.in.bLength = sizeof d.in;
    d.in.bDescriptorType = USB_DT_ENDPOINT;
    d.in.bmAttributes = USB_ENDPOINT_XFER_BULK;
    d.in.wMaxPacketSize = packet_bytes;
    d.out = d.in;
    d.in.bEndpointAddress = USB_DIR_IN | 1;
    d.out.bEndpointAddress = USB_DIR_OUT | 2;
    return d;
}

UniqueFd open_file(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd) throw std::system_error(errno, std::generic_category(), path);
    return fd;
}

template <class T>
void tell(int fd, const T& what, const char* name) {
    if (::write(fd, &what, sizeof what) != static_cast<ssize_t>(sizeof what))
        throw std::system_error(errno, std::generic_category(), name);
}

}  // namespace

// The interface lists IN first, so ep1 is IN.
FfsFunction::FfsFunction(const std::string& mount) : control(open_file(mount + "/ep0")) {
    Descriptors d{};
    d.head.magic = FUNCTIONFS_DESCRIPTORS_MAGIC_V2;
    d.head.length = sizeof d;
    d.head.flags = FUNCTIONFS_HAS_FS_DESC | FUNCTIONFS_HAS_HS_DESC;
    d.full_count = d.high_count = 3;
    d.full = adb_interface(64);
    d.high = adb_interface(512);
    tell(control.get(), d, "descriptors");
    Strings s{};
    s.head.magic = FUNCTIONFS_STRINGS_MAGIC;
    s.head.length = sizeof s;
    s.head.str_count = s.head.lang_count = 1;
    s.language = 0x0409;
    std::memcpy(s.name, kName, sizeof kName);
    tell(control.get(), s, "strings");
    to_host = open_file(mount + "/ep1");
    from_host = open_file(mount + "/ep2");
}

bool FfsFunction::next_event(bool& enabled) {
    for (;;) {
        usb_functionfs_event event{};
        const ssize_t n = ::read(control.get(), &event, sizeof event);
        if (n < 0 && errno == EINTR) continue;
        if (n != static_cast<ssize_t>(sizeof event)) return false;
        switch (event.type) {
            case FUNCTIONFS_ENABLE: enabled = true; return true;
            case FUNCTIONFS_DISABLE:
            case FUNCTIONFS_UNBIND: enabled = false; return true;
            case FUNCTIONFS_SETUP:  // none is known: an empty transfer of the other direction stalls it
                if ((event.u.setup.bRequestType & USB_DIR_IN) != 0) {
                    (void)!::read(control.get(), nullptr, 0);
                } else {
                    (void)!::write(control.get(), nullptr, 0);
                }
                break;
            default: break;
        }
    }
}

}  // namespace drover::test
