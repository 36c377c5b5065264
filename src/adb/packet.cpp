#include "adb/packet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>

namespace drover::adb {

std::string name_of(std::uint32_t command) {
    std::string name(4, ' ');
    store_le32(reinterpret_cast<std::uint8_t*>(name.data()), command);
    const bool printable = std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
    return printable ? name : fmt::format("0x{:08x}", command);
}

std::array<std::uint8_t, kHeaderBytes> encode(const Header& header) {
    std::array<std::uint8_t, kHeaderBytes> raw;
    const std::uint32_t words[] = {header.command, header.arg0, header.arg1, header.length, header.check, header.magic};
    for (std::size_t i = 0; i < std::size(words); ++i) store_le32(raw.data() + 4 * i, words[i]);
    return raw;
}

Header decode_header(const std::uint8_t* bytes) {
    Header h;
    h.command = load_le32(bytes);
    h.arg0 = load_le32(bytes + 4);
    h.arg1 = load_le32(bytes + 8);
    h.length = load_le32(bytes + 12);
    h.check = load_le32(bytes + 16);
    h.magic = load_le32(bytes + 20);
    return h;
}

std::uint32_t checksum(ByteView payload) { return std::accumulate(payload.begin(), payload.end(), std::uint32_t{0}); }

void append_packet(std::vector<std::uint8_t>& out, Command command, std::uint32_t arg0, std::uint32_t arg1,
                   ByteView payload, bool with_checksum) {
    Header h;
    h.command = static_cast<std::uint32_t>(command);
    h.arg0 = arg0;
    h.arg1 = arg1;
    h.length = static_cast<std::uint32_t>(payload.size());
    h.check = with_checksum ? checksum(payload) : 0;
    h.magic = ~h.command;
    const auto raw = encode(h);
    out.insert(out.end(), raw.begin(), raw.end());
    out.insert(out.end(), payload.begin(), payload.end());
}

Result<void> PacketParser::feed(ByteView bytes, PacketSink& sink) {
    while (!bytes.empty()) {
        if (have_ < kHeaderBytes) {
            const std::size_t n = std::min(kHeaderBytes - have_, bytes.size());
            if (n == kHeaderBytes) {  // nearly always in one piece
                header_ = decode_header(bytes.data());
                have_ = kHeaderBytes;
            } else {
                std::copy_n(bytes.begin(), n, raw_.begin() + have_);
                have_ = static_cast<std::uint8_t>(have_ + n);
                if (have_ < kHeaderBytes) return {};
                header_ = decode_header(raw_.data());
            }
            bytes = bytes.subspan(n);
            if (header_.magic != ~header_.command) {
                return fail(Code::protocol_error,
                            fmt::format("packet {} has magic 0x{:08x}, not 0x{:08x}", name_of(header_.command),
                                        header_.magic, ~header_.command));
            }
            if (header_.length > max_payload_) {
                return fail(Code::protocol_error, fmt::format("packet {} announces {} bytes, the limit is {}",
                                                              name_of(header_.command), header_.length, max_payload_));
            }
            left_ = header_.length;
            sum_ = 0;
            if (auto r = sink.on_header(header_); !r) return r;
        } else {
            const ByteView piece = bytes.first(std::min<std::size_t>(left_, bytes.size()));
            if (sums_) sum_ += checksum(piece);
            left_ -= static_cast<std::uint32_t>(piece.size());
            bytes = bytes.subspan(piece.size());
            if (auto r = sink.on_payload(header_, piece); !r) return r;
        }
        if (left_ == 0) {
            have_ = 0;
            if (auto r = sink.on_packet_end(header_, sum_); !r) return r;
        }
    }
    return {};
}

}  // namespace drover::adb
