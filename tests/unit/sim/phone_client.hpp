// A client of one phone over a real socket, packet by packet; every wait has a deadline. One thread; the test owns it.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "adb/packet.hpp"
#include "base/unique_fd.hpp"
#include "support/fake_adbd.hpp"

namespace drover::test {

class PhoneClient {
public:
    static constexpr int kWaitMs = 30'000;  // a test that waits this long fails anyway

    explicit PhoneClient(const std::string& address) {
        const auto colon = address.rfind(':');
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
        inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
        fd_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        connected_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    }

    bool connected() const { return connected_; }
    bool ended() const { return ended_; }
    void hang_up() { fd_.reset(); }

    void send(adb::Command command, std::uint32_t arg0, std::uint32_t arg1, std::string_view payload = {}) {
        send_raw(packet(command, arg0, arg1, payload, true));
    }
    void send_raw(ByteView bytes) {
        while (!bytes.empty()) {
            const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return;
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        }
    }

    // The next packet; nullopt when the phone hung up or said nothing for that long.
    std::optional<Sent> receive(int wait_ms = kWaitMs) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
        for (;;) {
            if (in_.size() >= adb::kHeaderBytes) {
                const auto h = adb::decode_header(in_.data());
                const std::size_t whole = adb::kHeaderBytes + h.length;
                if (in_.size() >= whole) {
                    Sent sent{adb::name_of(h.command), h.arg0, h.arg1,
                              std::string(as_text(ByteView(in_).subspan(adb::kHeaderBytes, h.length))), h.check};
                    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(whole));
                    return sent;
                }
            }
            if (!read_more(deadline)) return std::nullopt;
        }
    }
    // Waits until the phone hangs up, whatever it says before.
    bool wait_for_end() {
        while (receive()) {}
        return ended_;
    }

    bool hello(std::string_view banner = "host::features=shell_v2,cmd") {
        send(adb::Command::cnxn, adb::kVersionNoChecksum, adb::kMaxPayloadBytes, banner);
        const auto answer = receive();
        return answer && answer->name == "CNXN";
    }

    struct Ran {
        std::string out, err;
        std::optional<int> exit_code;  // none: the stream closed without one
        bool refused = false;
        bool lost = false;
    };
    // A whole command over shell v2.
    Ran run(std::string_view command) { return finish(open("shell,v2,raw:" + std::string(command))); }

    // The phone's number for the new stream, our own is next_; 0 when it was refused.
    struct Stream {
        std::uint32_t ours = 0, theirs = 0;
    };
    Stream open(const std::string& service) {
        const std::uint32_t ours = ++last_id_;
        send(adb::Command::open, ours, 0, service + std::string(1, '\0'));
        while (const auto answer = receive()) {
            if (answer->arg1 != ours) continue;
            return {ours, answer->name == "OKAY" ? answer->arg0 : 0};
        }
        return {ours, 0};
    }
    // Takes and acknowledges everything until the stream closes.
    Ran finish(Stream stream) {
        Ran ran;
        ran.refused = stream.theirs == 0;
        std::string framed;
        while (!ran.refused) {
            const auto p = receive();
            if (!p) {
                ran.lost = true;
                break;
            }
            if (p->arg1 != stream.ours) continue;
            if (p->name == "WRTE") {
                framed += p->payload;
                send(adb::Command::okay, stream.ours, stream.theirs);
            } else if (p->name == "CLSE") {
                break;
            }
        }
        unframe(framed, ran);
        return ran;
    }

private:
    static void unframe(std::string_view framed, Ran& ran) {
        while (framed.size() >= 5) {
            const auto id = static_cast<std::uint8_t>(framed[0]);
            const std::uint32_t length = load_le32(as_bytes(framed).data() + 1);
            const std::string_view data = framed.substr(5, length);
            if (id == 1) ran.out += data;
            if (id == 2) ran.err += data;
            if (id == 3 && data.size() == 1) ran.exit_code = static_cast<std::uint8_t>(data[0]);
            framed.remove_prefix(std::min<std::size_t>(framed.size(), 5 + std::size_t{length}));
        }
    }
    bool read_more(std::chrono::steady_clock::time_point deadline) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        pollfd p{fd_.get(), POLLIN, 0};
        if (left <= 0 || ::poll(&p, 1, static_cast<int>(left)) <= 0) return false;
        std::uint8_t buffer[65536];
        const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
        if (n <= 0) {
            ended_ = true;
            return false;
        }
        in_.insert(in_.end(), buffer, buffer + n);
        return true;
    }

    UniqueFd fd_;
    std::vector<std::uint8_t> in_;
    std::uint32_t last_id_ = 0;
    bool connected_ = false;
    bool ended_ = false;
};

}  // namespace drover::test
