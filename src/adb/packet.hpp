// The ADB packet: 24 bytes of header, then data_length bytes of payload (reference: AOSP types.h, protocol.md).
// Bytes to values and back; no I/O, no state but the parser's own. Any thread, one at a time.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "drover/error.hpp"

namespace drover::adb {

// Four ASCII letters, little-endian. A phone may send any value.
enum class Command : std::uint32_t {
    sync = 0x434e5953,
    cnxn = 0x4e584e43,
    auth = 0x48545541,
    open = 0x4e45504f,
    okay = 0x59414b4f,
    wrte = 0x45545257,
    clse = 0x45534c43,
    stls = 0x534c5453,
};
std::string name_of(std::uint32_t command);  // "CNXN"; 0x-hex for anything that is not four printable letters

constexpr std::size_t kHeaderBytes = 24;
constexpr std::uint32_t kVersionChecksum = 0x01000000;    // data_check is the sum of the payload's bytes
constexpr std::uint32_t kVersionNoChecksum = 0x01000001;  // data_check is 0 and not looked at, but for CNXN and AUTH
constexpr std::uint32_t kMaxPayloadBytes = 1024 * 1024;   // what AOSP announces since Android 9
constexpr std::uint32_t kOldPayloadBytes = 4096;          // before that; also the limit for CNXN and AUTH
constexpr std::uint32_t kStlsVersion = 0x01000000;

struct Header {
    std::uint32_t command = 0;
    std::uint32_t arg0 = 0;
    std::uint32_t arg1 = 0;
    std::uint32_t length = 0;
    std::uint32_t check = 0;
    std::uint32_t magic = 0;

    bool is(Command c) const { return command == static_cast<std::uint32_t>(c); }
};

std::array<std::uint8_t, kHeaderBytes> encode(const Header& header);
Header decode_header(const std::uint8_t* bytes);  // 24 readable bytes

// The plain sum of all bytes, modulo 2^32 (the documents call it crc32; it is none).
std::uint32_t checksum(ByteView payload);

// Appends one whole packet to out. `with_checksum`: always for CNXN and AUTH, else only at version 0x01000000.
void append_packet(std::vector<std::uint8_t>& out, Command command, std::uint32_t arg0, std::uint32_t arg1,
                   ByteView payload, bool with_checksum);

// What a PacketParser reports. Calls come from feed(), in wire order: on_header, on_payload*, on_packet_end.
class PacketSink {
public:
    // A good header. An error ends the parsing: there is no way back into step.
    virtual Result<void> on_header(const Header& header) = 0;
    // The next piece of the payload; valid during the call only. Never empty.
    virtual Result<void> on_payload(const Header& header, ByteView piece) = 0;
    // The packet is complete; `sum` is the checksum of its payload (computed only when asked for, else 0).
    virtual Result<void> on_packet_end(const Header& header, std::uint32_t sum) = 0;

protected:
    ~PacketSink() = default;
};

// Resumable: takes any split of the byte stream and keeps at most one header. Payloads pass through in pieces.
class PacketParser {
public:
    // A header with a wrong magic or a length over max_payload is a protocol error; so is what the sink refuses.
    // After an error the parser must not be fed again.
    Result<void> feed(ByteView bytes, PacketSink& sink);

    void set_max_payload(std::uint32_t bytes) { max_payload_ = bytes; }
    void set_sums(bool on) { sums_ = on; }
    bool between_packets() const { return have_ == 0; }

private:
    Header header_;
    std::uint32_t left_ = 0;  // payload bytes still to come
    std::uint32_t sum_ = 0;
    std::uint32_t max_payload_ = kMaxPayloadBytes;
    std::uint8_t have_ = 0;  // header bytes so far; kHeaderBytes: inside the payload
    bool sums_ = true;
    std::array<std::uint8_t, kHeaderBytes> raw_{};
};

}  // namespace drover::adb
