#include "sim/shell_output.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace drover::sim {

void fill_pattern(std::uint64_t offset, std::span<std::uint8_t> bytes) {
    constexpr std::size_t kLineBytes = 64;
    constexpr std::size_t kDigits = 12;
    std::array<std::uint8_t, kLineBytes> line;
    for (std::size_t i = 0; i < kLineBytes; ++i) line[i] = static_cast<std::uint8_t>('a' + i % 26);
    line[kDigits] = ' ';
    line[kLineBytes - 1] = '\n';
    for (std::size_t done = 0; done < bytes.size();) {
        std::uint64_t number = (offset + done) / kLineBytes;
        for (std::size_t i = kDigits; i-- > 0; number /= 10) line[i] = static_cast<std::uint8_t>('0' + number % 10);
        const std::size_t from = (offset + done) % kLineBytes;
        const std::size_t n = std::min(kLineBytes - from, bytes.size() - done);
        std::copy_n(line.begin() + static_cast<std::ptrdiff_t>(from), n,
                    bytes.begin() + static_cast<std::ptrdiff_t>(done));
        done += n;
    }
}

std::size_t ShellOutput::room() const {
    if (port_ == nullptr || finished_ || extra_sent_ < faults_.extra_output_bytes) return 0;
    return pending_.size() >= kPendingBytesMax ? 0 : kPendingBytesMax - pending_.size();
}

void ShellOutput::add_packet(ShellId id, ByteView bytes) {
    if (options_.v2) {
        std::uint8_t header[kShellHeaderBytes] = {static_cast<std::uint8_t>(id)};
        store_le32(header + 1, static_cast<std::uint32_t>(bytes.size()));
        pending_.insert(pending_.end(), header, header + sizeof header);
        pending_.insert(pending_.end(), bytes.begin(), bytes.end());
        return;
    }
    if (!options_.crlf) {
        pending_.insert(pending_.end(), bytes.begin(), bytes.end());
        return;
    }
    for (const std::uint8_t byte : bytes) {
        if (byte == '\n') pending_.push_back('\r');
        pending_.push_back(byte);
    }
}

void ShellOutput::add(ShellId id, ByteView bytes) {
    if (!bytes.empty()) add_packet(id, bytes);
}

void ShellOutput::finish(std::uint8_t exit_code) {
    finished_ = true;
    exit_code_ = faults_.exit_code.value_or(exit_code);
}

void ShellOutput::refill_extra() {
    const std::uint64_t left = faults_.extra_output_bytes - extra_sent_;
    if (left == 0 || pending_.size() >= kPendingBytesMax / 2) return;
    std::vector<std::uint8_t> chunk(
        static_cast<std::size_t>(std::min<std::uint64_t>(left, kPendingBytesMax - pending_.size())));
    fill_pattern(extra_sent_, chunk);
    add_packet(ShellId::out, chunk);
    extra_sent_ += chunk.size();
}

bool ShellOutput::pump() {
    if (port_ == nullptr) return false;
    for (;;) {
        refill_extra();
        if (finished_ && !exit_added_ && extra_sent_ == faults_.extra_output_bytes) {
            exit_added_ = true;
            if (options_.v2 && !faults_.no_exit_code) add_packet(ShellId::exit, ByteView(&exit_code_, 1));
        }
        if (pending_.empty()) break;
        if (!port_->can_write()) return true;
        const std::size_t n = std::min(pending_.size(), port_->write_max());
        port_->write(ByteView(pending_).first(n));
        pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(n));
    }
    if (!exit_added_) return true;
    if (options_.separate_writes) port_->flush();
    Port* port = std::exchange(port_, nullptr);
    port->close();
    return false;
}

}  // namespace drover::sim
