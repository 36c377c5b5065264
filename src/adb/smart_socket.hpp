// What an adb server's clients and the server say to each other, as bytes (reference: AOSP SERVICES.TXT, adb_io.cpp).
//
// A request is four hex digits and a text. The answer is OKAY, or FAIL with four hex digits and a reason; some requests
// are answered by OKAY, four hex digits and a body. Pure but for resolve(); any thread. Values are the caller's own.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adb/banner.hpp"
#include "base/bytes.hpp"
#include "drover/error.hpp"

namespace drover::adb {

constexpr std::size_t kRequestBytesMax = 0xffff;  // what four hex digits can say
// The server prints lengths with "%04x", so a body over 65,535 bytes has five digits: read as four it would put the reader
// out of step. Such bodies are recognized by the end of the connection, up to what five digits can say.
constexpr std::size_t kReplyBodyBytesMax = 0xfffff;

// An empty or too long text is an error: Code::command_too_long.
Result<std::string> encode_request(std::string_view text);
// The same for a text whose length the caller has looked at.
std::string encode_known_request(std::string_view text);

struct ServerReply {
    bool okay = false;
    std::string text;  // the body, or the reason of a FAIL; raw, as the server sent it
};

// Reads one answer; takes any split. The first answers of a connection are a `status` each; the last may carry a `body`.
class ReplyParser {
public:
    enum class Shape : std::uint8_t { status, body };
    explicit ReplyParser(Shape shape) : shape_(shape) {}

    // Takes what belongs to the answer and returns how many bytes that was: the rest is the stream behind it.
    // An error is final: neither OKAY nor FAIL, a length that is no number, a body over the limit.
    Result<std::size_t> feed(ByteView bytes);
    // The connection has ended: completes a body of 4,096 bytes or more, whose length may have five digits, and a FAIL cut
    // short. An error: the answer is not complete.
    Result<void> finish();
    bool done() const { return done_; }
    ServerReply take() { return std::move(reply_); }

private:
    Result<void> step();

    Shape shape_;
    bool done_ = false;
    std::string held_;  // status, length and body as they come
    ServerReply reply_;
};

// One row of `host:devices-l`.
struct ServerDevice {
    std::string serial;  // empty: the phone has none
    AdbState state = AdbState::offline;
    std::string state_text;  // as the server words it; goes on after "no permissions"
    std::string usb_path;    // "1-4.2"; empty for TCP
    std::string product, model, device;
    std::uint64_t transport_id = 0;  // never 0; changes when the phone is plugged again

    bool operator==(const ServerDevice&) const = default;
};

struct ServerDeviceList {
    std::vector<ServerDevice> devices;
    std::vector<std::string> ignored;  // rows without a transport id, for the log
};
// Never fails: what is no row is listed in `ignored`. Rows are read from their right end, where the transport id always
// stands, since serials and states may hold spaces.
ServerDeviceList parse_device_list(std::string_view body);

// What a FAIL means. `online`: the phone was reachable before, so that its absence is a lost link.
Error error_of_fail(std::string_view reason, bool online);

// Where an adb server listens.
struct ServerAddress {
    enum class Kind : std::uint8_t { tcp, local_file, local_abstract };
    Kind kind = Kind::tcp;
    std::string host = "127.0.0.1";  // or the path, or the abstract name
    std::uint16_t port = 5037;

    bool operator==(const ServerAddress&) const = default;
};
std::string to_string(const ServerAddress& address);
// tcp:PORT, tcp:HOST:PORT, tcp:[V6]:PORT, localfilesystem:PATH, local:PATH, localabstract:NAME.
Result<ServerAddress> parse_server_address(std::string_view text);
// adb's own rules: ADB_SERVER_SOCKET, else ANDROID_ADB_SERVER_ADDRESS and ANDROID_ADB_SERVER_PORT, else 127.0.0.1:5037.
// nullptr or an empty text: not set.
Result<ServerAddress> server_address(const char* server_socket, const char* address, const char* port);
Result<ServerAddress> server_address_from_environment();

}  // namespace drover::adb
