#include "vm/redir_parser.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <vector>

namespace drover::test {
namespace {

constexpr std::uint8_t kIn = 0x81;  // everything else that is bulk is OUT
constexpr std::string_view kDevice("\x12\x01\x00\x02\x00\x00\x00\x40\xd1\x18\xe7\x4e\x00\x04\x01\x02\x03\x01", 18);
constexpr std::string_view kConfiguration(
    "\x09\x02\x20\x00\x01\x01\x00\x80\xfa"
    "\x09\x04\x00\x00\x02\xff\x42\x01\x00"
    "\x07\x05\x01\x02\x00\x02\x00"
    "\x07\x05\x81\x02\x00\x02\x00",
    32);

std::string string_descriptor(std::string_view text) {
    std::string d{static_cast<char>(2 + 2 * text.size()), 3};
    for (const char c : text) d += {c, '\0'};
    return d;
}

int outcome(ssize_t n) {
    if (n > 0) return static_cast<int>(n);
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

}  // namespace

// The parser calls C functions with its `priv`.
struct RedirParser::Callbacks {
    static RedirParser& of(void* priv) { return *static_cast<RedirParser*>(priv); }

    static int read(void* priv, std::uint8_t* data, int size) {
        return outcome(::recv(of(priv).fd_, data, static_cast<std::size_t>(size), MSG_DONTWAIT));
    }
    static int write(void* priv, std::uint8_t* data, int size) {
        return outcome(::send(of(priv).fd_, data, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL));
    }
    static void log(void*, int level, const char* text) {
        if (level <= usbredirparser_warning) fmt::print(stderr, "usbredir: {}\n", text);
    }
    static void hello(void* priv, usb_redir_hello_header*) {
        of(priv).plug();
        of(priv).peer_.on_connected();
    }
    static void reset(void* priv) { of(priv).peer_.on_reset(); }
    static void control(void* priv, std::uint64_t id, usb_redir_control_packet_header* header, std::uint8_t* data,
                        int) {
        of(priv).answer_control(id, *header);
        usbredirparser_free_packet_data(of(priv).parser_.get(), data);
    }
    static void bulk(void* priv, std::uint64_t id, usb_redir_bulk_packet_header* header, std::uint8_t* data, int size) {
        auto& self = of(priv);
        const auto wanted = static_cast<std::size_t>(header->length) | static_cast<std::size_t>(header->length_high)
                                                                           << 16;
        if (header->endpoint == kIn) {
            self.peer_.on_in(id, wanted);
        } else {
            header->status = usb_redir_success;
            usbredirparser_send_bulk_packet(self.parser_.get(), id, header, nullptr, 0);
            self.peer_.on_out(ByteView(data, static_cast<std::size_t>(size)));
        }
        usbredirparser_free_packet_data(self.parser_.get(), data);
    }
    static void cancel(void* priv, std::uint64_t id) { of(priv).peer_.on_cancel(id); }
    static void set_configuration(void* priv, std::uint64_t id, usb_redir_set_configuration_header* header) {
        of(priv).configuration_ = header->configuration;
        get_configuration(priv, id);
    }
    static void get_configuration(void* priv, std::uint64_t id) {
        usb_redir_configuration_status_header status{usb_redir_success, of(priv).configuration_};
        usbredirparser_send_configuration_status(of(priv).parser_.get(), id, &status);
    }
    static void set_alt(void* priv, std::uint64_t id, usb_redir_set_alt_setting_header* header) {
        usb_redir_alt_setting_status_header status{usb_redir_success, header->interface, header->alt};
        usbredirparser_send_alt_setting_status(of(priv).parser_.get(), id, &status);
    }
    static void get_alt(void* priv, std::uint64_t id, usb_redir_get_alt_setting_header* header) {
        usb_redir_alt_setting_status_header status{usb_redir_success, header->interface, 0};
        usbredirparser_send_alt_setting_status(of(priv).parser_.get(), id, &status);
    }
};

RedirParser::RedirParser(int fd, std::string serial, RedirPeer& peer)
    : fd_(fd), serial_(std::move(serial)), peer_(peer), parser_(usbredirparser_create()) {
    auto* const p = parser_.get();
    p->priv = this;
    p->log_func = Callbacks::log;
    p->read_func = Callbacks::read;
    p->write_func = Callbacks::write;
    p->hello_func = Callbacks::hello;
    p->reset_func = Callbacks::reset;
    p->control_packet_func = Callbacks::control;
    p->bulk_packet_func = Callbacks::bulk;
    p->cancel_data_packet_func = Callbacks::cancel;
    p->set_configuration_func = Callbacks::set_configuration;
    p->get_configuration_func = Callbacks::get_configuration;
    p->set_alt_setting_func = Callbacks::set_alt;
    p->get_alt_setting_func = Callbacks::get_alt;
    p->device_disconnect_ack_func = [](void*) {};
    p->filter_reject_func = [](void*) { fmt::print(stderr, "usbredir: QEMU rejected the device\n"); };
    p->filter_filter_func = [](void*, usbredirfilter_rule* rules, int) { std::free(rules); };
    std::uint32_t caps[USB_REDIR_CAPS_SIZE] = {};
    for (const int cap :
         {usb_redir_cap_connect_device_version, usb_redir_cap_filter, usb_redir_cap_device_disconnect_ack,
          usb_redir_cap_ep_info_max_packet_size, usb_redir_cap_64bits_ids, usb_redir_cap_32bits_bulk_length}) {
        usbredirparser_caps_set_cap(caps, cap);
    }
    usbredirparser_init(p, "drover", caps, USB_REDIR_CAPS_SIZE, usbredirparser_fl_usb_host);
}

bool RedirParser::read() { return usbredirparser_do_read(parser_.get()) == 0; }
bool RedirParser::write() { return usbredirparser_do_write(parser_.get()) == 0; }
bool RedirParser::wants_write() const { return usbredirparser_has_data_to_write(parser_.get()) > 0; }

void RedirParser::plug() {
    usb_redir_interface_info_header interfaces{};
    interfaces.interface_count = 1;
    interfaces.interface_class[0] = 0xff;
    interfaces.interface_subclass[0] = 0x42;
    interfaces.interface_protocol[0] = 0x01;
    usbredirparser_send_interface_info(parser_.get(), &interfaces);
    // Indices: the endpoint's number, and 16 more for IN.
    usb_redir_ep_info_header endpoints{};
    std::fill(std::begin(endpoints.type), std::end(endpoints.type), static_cast<std::uint8_t>(usb_redir_type_invalid));
    for (const int i : {0, 16}) {
        endpoints.type[i] = usb_redir_type_control;
        endpoints.max_packet_size[i] = 64;
        endpoints.type[i + 1] = usb_redir_type_bulk;
        endpoints.max_packet_size[i + 1] = kPacketBytes;
    }
    usbredirparser_send_ep_info(parser_.get(), &endpoints);
    usb_redir_device_connect_header device{};
    device.speed = usb_redir_speed_high;
    device.vendor_id = 0x18d1;
    device.product_id = 0x4ee7;
    device.device_version_bcd = 0x0400;
    usbredirparser_send_device_connect(parser_.get(), &device);
}

void RedirParser::unplug() { usbredirparser_send_device_disconnect(parser_.get()); }

void RedirParser::end_in(std::uint64_t id, std::uint8_t status, ByteView bytes) {
    usb_redir_bulk_packet_header header{};
    header.endpoint = kIn;
    header.status = status;
    header.length = static_cast<std::uint16_t>(bytes.size() & 0xffff);
    header.length_high = static_cast<std::uint16_t>(bytes.size() >> 16);
    std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());  // the parser's argument is not const
    usbredirparser_send_bulk_packet(parser_.get(), id, &header, copy.data(), static_cast<int>(copy.size()));
}

std::string RedirParser::descriptor(std::uint16_t value) const {
    switch (value) {
        case 0x0100: return std::string(kDevice);
        case 0x0200: return std::string(kConfiguration);
        case 0x0300: return {"\x04\x03\x09\x04", 4};
        case 0x0301: return string_descriptor("drover");
        case 0x0302: return string_descriptor("Virtual Phone");
        case 0x0303: return string_descriptor(serial_);
        default: return {};
    }
}

void RedirParser::answer_control(std::uint64_t id, usb_redir_control_packet_header header) {
    std::string answer;
    header.status = usb_redir_stall;
    if (header.requesttype == 0x80 && header.request == 6) {  // GET_DESCRIPTOR
        answer = descriptor(header.value);
        if (!answer.empty()) header.status = usb_redir_success;
    } else if (header.requesttype == 0x80 && header.request == 0) {  // GET_STATUS
        answer.assign(2, '\0');
        header.status = usb_redir_success;
    } else if (header.requesttype == 0x02 && header.request == 1) {  // CLEAR_FEATURE: the endpoint's halt
        header.status = usb_redir_success;
    }
    answer.resize(std::min<std::size_t>(answer.size(), header.length));
    header.length = static_cast<std::uint16_t>(answer.size());
    auto* const data = reinterpret_cast<std::uint8_t*>(answer.data());
    usbredirparser_send_control_packet(parser_.get(), id, &header, answer.empty() ? nullptr : data,
                                       static_cast<int>(answer.size()));
}

}  // namespace drover::test
