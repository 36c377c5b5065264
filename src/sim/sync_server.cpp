#include "sim/sync_server.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace drover::sim {

using adb::SyncBytes;
using adb::SyncCompression;
using adb::SyncId;

namespace {

constexpr std::size_t kHeadBytes = 8;

std::uint32_t word(ByteView bytes, std::size_t at) { return load_le32(bytes.data() + at); }

std::string with_errno(std::string_view what, int error) { return fmt::format("{}: {}", what, std::strerror(error)); }

void append_data(SyncBytes& out, ByteView bytes) {
    while (!bytes.empty()) {
        const auto piece = bytes.first(std::min(bytes.size(), adb::kSyncDataBytesMax));
        adb::append_sync_data(out, piece);
        bytes = bytes.subspan(piece.size());
    }
}

// What follows the path in a request of version 2.
std::size_t bytes_after_path(SyncId id) {
    if (id == SyncId::send_v2) return 12;
    if (id == SyncId::recv_v2) return 8;
    return 0;
}

}  // namespace

SyncServer::~SyncServer() {
    if (!receiving_ || receiving_->failed || receiving_->link) return;
    const PhoneFiles::AsUser as(files_);
    files_.remove(receiving_->path);
}

void SyncServer::work(ByteView bytes, SyncBytes& out, std::size_t room) {
    const PhoneFiles::AsUser as(files_);
    in_.insert(in_.end(), bytes.begin(), bytes.end());
    more_ = false;
    while (!ended_) {
        if (out.size() >= room) {
            more_ = true;
            break;
        }
        if (!step(out)) break;
    }
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
}

bool SyncServer::step(SyncBytes& out) {
    if (sending_) {
        send_piece(out);
        return true;
    }
    if (listing_) {
        list_some(out);
        return true;
    }
    return receiving_ ? receive(out) : request(out);
}

void SyncServer::refuse(SyncBytes& out, std::string_view why) {
    adb::append_sync_fail(out, why);
    ended_ = true;
}

bool SyncServer::request(SyncBytes& out) {
    if (input().size() < kHeadBytes) return false;
    const auto id = static_cast<SyncId>(word(input(), 0));
    const std::size_t length = word(input(), 4);
    if (id == SyncId::quit) {
        ended_ = true;
        return false;
    }
    if (length > adb::kSyncPathBytesMax) {
        refuse(out, "path too long");
        return false;
    }
    const std::size_t rest = bytes_after_path(id);
    if (input().size() < kHeadBytes + length + rest) return false;
    std::string path(as_text(input().subspan(kHeadBytes, length)));
    const ByteView after = input().subspan(kHeadBytes + length, rest);
    at_ += kHeadBytes + length + rest;
    return perform(id, std::move(path), after, out);
}

bool SyncServer::perform(SyncId id, std::string path, ByteView rest, SyncBytes& out) {
    const bool known = ((id != SyncId::stat_v2 && id != SyncId::lstat_v2) || features_.stat_v2) &&
                       (id != SyncId::list_v2 || features_.list_v2) &&
                       ((id != SyncId::send_v2 && id != SyncId::recv_v2) || features_.send_recv_v2);
    switch (known ? id : SyncId::fail) {
        case SyncId::lstat_v1:
        case SyncId::lstat_v2: adb::append_sync_stat(out, id, files_.stat(path, false)); return true;
        case SyncId::stat_v2: adb::append_sync_stat(out, id, files_.stat(path, true)); return true;
        case SyncId::list_v1:
        case SyncId::list_v2: listing_ = Listing{files_.list(path), id == SyncId::list_v2}; return true;
        case SyncId::send_v1: {
            const auto comma = path.rfind(',');
            std::uint32_t mode = 0;
            const char* const end = path.data() + path.size();
            if (comma == std::string::npos || std::from_chars(path.data() + comma + 1, end, mode).ec != std::errc()) {
                refuse(out, "missing , in ID_SEND_V1");
                return false;
            }
            path.resize(comma);
            begin_receiving(std::move(path), mode, 0, out);
            return true;
        }
        case SyncId::send_v2: begin_receiving(std::move(path), word(rest, 4), word(rest, 8), out); return !ended_;
        case SyncId::recv_v1:
        case SyncId::recv_v2: {
            const auto compression = compression_of(id == SyncId::recv_v2 ? word(rest, 4) : 0);
            if (!compression) {
                refuse(out, "unknown recv flags");
                return false;
            }
            UniqueFd file = files_.open_to_read(path);
            if (!file) {
                adb::append_sync_fail(out, with_errno("open failed", errno));
            } else {
                sending_ = Sending{std::move(file), adb::make_sync_encoder(*compression), {}, {}};
            }
            return true;
        }
        default: refuse(out, fmt::format("unknown command {:08x}", static_cast<std::uint32_t>(id))); return false;
    }
}

std::optional<SyncCompression> SyncServer::compression_of(std::uint32_t flags) const {
    const auto compression = static_cast<SyncCompression>(flags);
    if (!features_.has(compression)) return std::nullopt;  // more than one, unknown, or not this phone's
    return compression;
}

void SyncServer::begin_receiving(std::string path, std::uint32_t mode, std::uint32_t flags, SyncBytes& out) {
    const auto compression = compression_of(flags & ~adb::kSyncDryRun);
    if (!compression || (flags & adb::kSyncDryRun) != 0) return refuse(out, "unknown send flags");
    receiving_ = std::make_unique<Receiving>();
    auto& r = *receiving_;
    r.path = std::move(path);
    r.link = S_ISLNK(mode);
    r.mode = mode & 0777;
    r.mode |= (r.mode >> 3) & 0070;
    r.mode |= (r.mode >> 3) & 0007;
    r.decoder = adb::make_sync_decoder(*compression);
    if (r.link) return;
    r.file = files_.create(r.path);
    if (r.file) return;
    adb::append_sync_fail(out, with_errno("couldn't create file", errno));
    r.failed = true;
}

bool SyncServer::receive(SyncBytes& out) {
    if (input().size() < kHeadBytes) return false;
    const auto id = static_cast<SyncId>(word(input(), 0));
    const std::uint32_t length = word(input(), 4);
    if (id == SyncId::done) {
        at_ += kHeadBytes;
        finish_receiving(length, out);
        return true;
    }
    if (id != SyncId::data || length > adb::kSyncDataBytesMax) {
        refuse(out, id == SyncId::data ? "oversize data message" : "invalid data message");
        return false;
    }
    if (input().size() < kHeadBytes + length) return false;
    const ByteView data = input().subspan(kHeadBytes, length);
    at_ += kHeadBytes + length;
    auto& r = *receiving_;
    if (r.failed) return true;
    const auto taken = r.decoder ? r.decoder->decode(data, [this](ByteView piece) { return take(piece); }) : take(data);
    if (!taken) {
        adb::append_sync_fail(out, taken.error().message);
        r.failed = true;
        r.file.reset();
        if (!r.link) files_.remove(r.path);
    }
    return true;
}

Result<void> SyncServer::take(ByteView bytes) {
    auto& r = *receiving_;
    r.size += bytes.size();
    if (r.link) {
        r.target += as_text(bytes);
        if (r.target.size() > adb::kSyncPathBytesMax) return fail(Code::file_failed, "symlink too long");
        return {};
    }
    if (r.size > PhoneFiles::kFileBytesMax) return fail(Code::file_failed, with_errno("write failed", EFBIG));
    if (is_hole(bytes)) {
        r.hole = true;
        if (!skip_hole(r.file.get(), bytes)) return fail(Code::file_failed, with_errno("write failed", errno));
        return {};
    }
    while (!bytes.empty()) {
        const ssize_t n = ::write(r.file.get(), bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(Code::file_failed, with_errno("write failed", errno));
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
}

void SyncServer::finish_receiving(std::int64_t mtime, SyncBytes& out) {
    auto r = std::move(*receiving_);
    receiving_.reset();
    if (r.failed) return;
    std::string why;
    if (r.decoder) {
        if (const auto whole = r.decoder->finish(); !whole) why = whole.error().message;
    }
    if (why.empty() && r.link) {
        while (!r.target.empty() && r.target.back() == '\0') r.target.pop_back();
        if (const int error = files_.make_link(r.target, r.path)) why = with_errno("couldn't create symlink", error);
    } else if (why.empty() && r.hole && !end_hole(r.file.get())) {
        why = with_errno("write failed", errno);
    } else if (why.empty() && ::fchmod(r.file.get(), r.mode) != 0) {
        why = with_errno("fchmod failed", errno);
    }
    if (why.empty()) {
        if (const int error = files_.set_times(r.path, mtime)) why = with_errno("utime failed", error);
    }
    if (why.empty()) return adb::append_sync_okay(out);
    if (!r.link) files_.remove(r.path);
    adb::append_sync_fail(out, why);
}

void SyncServer::send_piece(SyncBytes& out) {
    auto& s = *sending_;
    std::array<std::uint8_t, adb::kSyncDataBytesMax> buffer;
    const ssize_t n = s.reader.read(s.file.get(), buffer);
    if (n < 0 && errno == EINTR) return;
    if (n < 0) {
        adb::append_sync_fail(out, with_errno("read failed", errno));
        sending_.reset();
        return;
    }
    const ByteView piece(buffer.data(), static_cast<std::size_t>(n));
    if (!s.encoder) {
        append_data(out, piece);
    } else {
        const auto encoded = n > 0 ? s.encoder->encode(piece, s.encoded) : s.encoder->finish(s.encoded);
        if (!encoded) return refuse(out, encoded.error().message);
        append_data(out, s.encoded);
        s.encoded.clear();
    }
    if (n > 0) return;
    adb::append_sync_done(out, 0);
    sending_.reset();
}

void SyncServer::list_some(SyncBytes& out) {
    auto& l = *listing_;
    errno = 0;
    const dirent* const entry = l.directory ? ::readdir(l.directory.get()) : nullptr;
    if (!entry) {
        adb::append_sync_list_end(out, l.v2);
        listing_.reset();
        return;
    }
    const auto stat = PhoneFiles::stat_entry(l.directory.get(), entry->d_name);
    if (stat.error == 0 || l.v2) adb::append_sync_entry(out, l.v2, entry->d_name, stat);
}

}  // namespace drover::sim
