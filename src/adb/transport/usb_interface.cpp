#include "adb/transport/usb_interface.hpp"

namespace drover::adb {
namespace {

constexpr std::size_t kHeadBytes = 2;  // length and type
constexpr std::size_t kConfigurationBytes = 9, kInterfaceBytes = 9, kEndpointBytes = 7;

bool is_adb(ByteView d) {
    const bool adb = d[5] == 0xFF && d[6] == 0x42 && d[7] == 0x01;
    const bool debug_port = d[5] == 0xDC && d[6] == 0x02 && d[7] == 0x01;
    return adb || debug_port;
}

// Gathers the endpoints of one ADB interface.
class Candidate {
public:
    explicit Candidate(ByteView interface) {
        found_.number = interface[2];
        found_.alternate = interface[3];
    }

    void add(ByteView endpoint) {
        constexpr std::uint8_t kDirectionIn = 0x80, kNumberMask = 0x0F, kTypeMask = 0x03, kBulk = 0x02;
        if ((endpoint[3] & kTypeMask) != kBulk) return;
        const std::uint8_t address = endpoint[2];
        const auto packet = static_cast<std::uint16_t>((endpoint[4] | endpoint[5] << 8) & 0x7FF);
        if ((address & kNumberMask) == 0 || packet == 0) bad_ = true;
        const bool in = (address & kDirectionIn) != 0;
        ++(in ? ins_ : outs_);
        (in ? found_.in : found_.out) = address;
        (in ? found_.in_packet_bytes : found_.out_packet_bytes) = packet;
    }

    std::optional<UsbInterface> result() const {
        if (bad_ || ins_ != 1 || outs_ != 1) return std::nullopt;
        return found_;
    }

private:
    UsbInterface found_;
    std::size_t ins_ = 0;
    std::size_t outs_ = 0;
    bool bad_ = false;
};

}  // namespace

std::optional<UsbInterface> find_adb_interface(ByteView descriptors, std::uint8_t configuration) {
    std::optional<Candidate> candidate;
    bool in_configuration = false;
    while (descriptors.size() >= kHeadBytes) {
        const std::size_t length = descriptors[0];
        if (length < kHeadBytes) {
            // Some hubs and phones report these; only its head can be there.
            descriptors = descriptors.subspan(kHeadBytes);
            continue;
        }
        if (length > descriptors.size()) break;
        const ByteView d = descriptors.first(length);
        const std::uint8_t type = d[1];
        if (type == kConfigurationType || type == kInterfaceType) {
            if (candidate && candidate->result()) break;
            candidate.reset();
        }
        if (type == kConfigurationType) {
            in_configuration = length >= kConfigurationBytes && d[5] == configuration;
        } else if (type == kInterfaceType && in_configuration && length >= kInterfaceBytes && is_adb(d)) {
            candidate.emplace(d);
        } else if (type == kEndpointType && candidate && length >= kEndpointBytes) {
            candidate->add(d);
        }
        descriptors = descriptors.subspan(length);
    }
    return candidate ? candidate->result() : std::nullopt;
}

}  // namespace drover::adb
