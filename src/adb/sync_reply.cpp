// The host's reader of what a phone's file service answers.
#include <fmt/format.h>

#include <algorithm>

#include "adb/sync.hpp"
#include "base/assert.hpp"

namespace drover::adb {
namespace {

using Kind = SyncReplyParser::Kind;

constexpr std::size_t kIdBytes = 4;
constexpr std::size_t kWordBytes = 8;      // id and one word: DATA, DONE of a file, OKAY, FAIL
constexpr std::size_t kStatV1Bytes = 16;   // id mode size mtime
constexpr std::size_t kStatV2Bytes = 72;   // id and put_stat_v2()
constexpr std::size_t kEntryV1Bytes = 20;  // and the length of the name
constexpr std::size_t kEntryV2Bytes = 76;
// Offsets in the answers of version 2.
constexpr std::size_t kErrorAt = 4, kModeAt = 24, kSizeAt = 40, kMtimeAt = 56;

std::uint32_t word(const std::string& head, std::size_t at) { return load_le32(as_bytes(head).data() + at); }
std::uint64_t long_word(const std::string& head, std::size_t at) {
    return word(head, at) | std::uint64_t{word(head, at + 4)} << 32;
}

std::string printable_id(std::uint32_t id) {
    std::string text;
    for (int i = 0; i < 4; ++i) {
        const auto c = static_cast<char>(id >> (8 * i) & 0xFF);
        if (c >= 'A' && c <= 'Z') text += c;
        if (c >= '0' && c <= '9') text += c;
    }
    return text.size() == 4 ? text : fmt::format("0x{:08x}", id);
}

SyncStat stat_v1(const std::string& head) {
    SyncStat s;
    s.mode = word(head, 4);
    s.size = word(head, 8);
    s.mtime = word(head, 12);
    constexpr std::uint32_t kNoSuchFile = 2;  // ENOENT
    if (s.mode == 0) s.error = kNoSuchFile;
    return s;
}

SyncStat stat_v2(const std::string& head) {
    SyncStat s;
    s.error = word(head, kErrorAt);
    s.mode = word(head, kModeAt);
    s.size = long_word(head, kSizeAt);
    s.mtime = static_cast<std::int64_t>(long_word(head, kMtimeAt));
    return s;
}

bool is_list(Kind kind) { return kind == Kind::list_v1 || kind == Kind::list_v2; }

}  // namespace

void SyncReplyParser::expect(Kind kind) {
    if (!expected_.empty() && expected_.back().kind == kind) {
        ++expected_.back().count;
    } else {
        expected_.push_back({kind, 1});
    }
}

void SyncReplyParser::answered() {
    if (--expected_.front().count == 0) expected_.pop_front();
}

// How long the answer that begins in head_ is, without its name, data or message; an id that does not answer is an error.
Result<std::size_t> SyncReplyParser::head_bytes() const {
    if (head_.size() < kIdBytes) return kIdBytes;
    const std::uint32_t raw = word(head_, 0);
    const auto id = static_cast<SyncId>(raw);
    if (expected_.empty()) {
        return fail(Code::protocol_error, fmt::format("sync: the phone sent {} unasked", printable_id(raw)));
    }
    const Kind kind = expected_.front().kind;
    if (id == SyncId::fail) return kWordBytes;
    switch (kind) {
        case Kind::stat_v1:
            if (id == SyncId::lstat_v1) return kStatV1Bytes;
            break;
        case Kind::stat_v2:
            if (id == SyncId::stat_v2 || id == SyncId::lstat_v2) return kStatV2Bytes;
            break;
        case Kind::list_v1:
            if (id == SyncId::dent_v1 || id == SyncId::done) return kEntryV1Bytes;
            break;
        case Kind::list_v2:
            if (id == SyncId::dent_v2 || id == SyncId::done) return kEntryV2Bytes;
            break;
        case Kind::recv:
            if (id == SyncId::data || id == SyncId::done) return kWordBytes;
            break;
        case Kind::send:
            if (id == SyncId::okay) return kWordBytes;
            break;
    }
    return fail(Code::protocol_error,
                fmt::format("sync: the phone answered {}, which is no answer to what it was asked", printable_id(raw)));
}

Result<void> SyncReplyParser::feed(ByteView bytes, SyncReplySink& sink) {
    while (!bytes.empty()) {
        if (state_ == State::head) {
            const auto want = head_bytes();
            if (!want) return tl::unexpected(want.error());
            const std::size_t n = std::min(*want - head_.size(), bytes.size());
            head_ += as_text(bytes.first(n));
            bytes = bytes.subspan(n);
            if (head_.size() < *want || *want == kIdBytes) continue;
            if (auto taken = on_head(sink); !taken) return taken;
            head_.clear();
            continue;
        }
        const std::size_t n = std::min<std::size_t>(left_, bytes.size());
        left_ -= static_cast<std::uint32_t>(n);
        if (state_ == State::data) {
            if (left_ == 0) state_ = State::head;
            if (auto taken = sink.on_data(bytes.first(n)); !taken) return taken;
        } else {
            text_ += as_text(bytes.first(n));
            if (left_ == 0) {
                if (auto taken = on_text(sink); !taken) return taken;
            }
        }
        bytes = bytes.subspan(n);
    }
    return {};
}

// The fixed part of an answer is whole.
Result<void> SyncReplyParser::on_head(SyncReplySink& sink) {
    const auto id = static_cast<SyncId>(word(head_, 0));
    const Kind kind = expected_.front().kind;
    switch (id) {
        case SyncId::lstat_v1: answered(); return sink.on_stat(stat_v1(head_));
        case SyncId::stat_v2:
        case SyncId::lstat_v2: answered(); return sink.on_stat(stat_v2(head_));
        case SyncId::dent_v1:
        case SyncId::dent_v2:
            entry_ = id == SyncId::dent_v1 ? stat_v1(head_) : stat_v2(head_);
            left_ = word(head_, head_.size() - 4);
            if (left_ == 0 || left_ > kSyncNameBytesMax)
                return fail(Code::protocol_error, fmt::format("sync: a name of {} bytes in a listing", left_));
            text_.clear();
            state_ = State::name;
            return {};
        case SyncId::data:
            left_ = word(head_, 4);
            if (left_ > kSyncDataBytesMax)
                return fail(Code::protocol_error,
                            fmt::format("sync: DATA of {} bytes, the limit is {}", left_, kSyncDataBytesMax));
            if (left_ > 0) state_ = State::data;
            return {};
        case SyncId::fail:
            left_ = word(head_, 4);
            if (left_ > kSyncMessageBytesMax)
                return fail(Code::protocol_error, fmt::format("sync: FAIL with a text of {} bytes, the limit is {}",
                                                              left_, kSyncMessageBytesMax));
            text_.clear();
            state_ = State::message;
            return left_ == 0 ? on_text(sink) : Result<void>();
        case SyncId::okay: answered(); return sink.on_okay();
        case SyncId::done:
            DROVER_ASSERT(kind == Kind::recv || is_list(kind));
            answered();
            return sink.on_done();
        default: break;
    }
    return fail(Code::internal, "sync: an answer of no kind");
}

Result<void> SyncReplyParser::on_text(SyncReplySink& sink) {
    const bool message = state_ == State::message;
    state_ = State::head;
    if (message) {
        answered();
        return sink.on_fail(std::move(text_));
    }
    if (text_.find('/') != std::string::npos || text_.find('\0') != std::string::npos)
        return fail(Code::protocol_error, "sync: a name in a listing holds a slash or a NUL");
    return sink.on_entry(text_, entry_);
}

}  // namespace drover::adb
