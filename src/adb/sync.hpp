// The file service of a phone, `sync:`, as bytes: requests out, answers in, versions 1 and 2
// (reference: AOSP file_sync_protocol.h, daemon/file_sync_service.cpp).
//
// Sans-IO; one thread at a time, no locks. Ownership: sinks outlive the call. Failure: SyncReplyParser::feed() returns the
// error; it is final. What a phone says is never trusted: ids that do not answer the question, lengths over the limits and
// names that are none are errors of that phone.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "adb/banner.hpp"
#include "base/bytes.hpp"
#include "drover/error.hpp"

namespace drover::adb {

constexpr std::size_t kSyncPathBytesMax = 1024;     // of a path in a request
constexpr std::size_t kSyncDataBytesMax = 65'536;   // of one DATA
constexpr std::size_t kSyncNameBytesMax = 255;      // of one name in a listing
constexpr std::size_t kSyncMessageBytesMax = 4096;  // of the text of a FAIL

constexpr std::uint32_t sync_id(const char (&name)[5]) {
    std::uint32_t id = 0;
    for (int i = 3; i >= 0; --i) id = id << 8 | static_cast<std::uint8_t>(name[i]);
    return id;
}
// Version 1 has one stat, which does not follow links.
enum class SyncId : std::uint32_t {
    lstat_v1 = sync_id("STAT"),
    stat_v2 = sync_id("STA2"),
    lstat_v2 = sync_id("LST2"),
    list_v1 = sync_id("LIST"),
    list_v2 = sync_id("LIS2"),
    dent_v1 = sync_id("DENT"),
    dent_v2 = sync_id("DNT2"),
    send_v1 = sync_id("SEND"),
    send_v2 = sync_id("SND2"),
    recv_v1 = sync_id("RECV"),
    recv_v2 = sync_id("RCV2"),
    data = sync_id("DATA"),
    done = sync_id("DONE"),
    okay = sync_id("OKAY"),
    fail = sync_id("FAIL"),
    quit = sync_id("QUIT"),
};

enum class SyncCompression : std::uint32_t { none = 0, brotli = 1, lz4 = 2, zstd = 4 };
constexpr std::uint32_t kSyncDryRun = 0x8000'0000;

// Which of the versions both sides know.
struct SyncFeatures {
    bool stat_v2 = false, list_v2 = false, send_recv_v2 = false;
    bool brotli = false, lz4 = false, zstd = false;

    static SyncFeatures of(const Features& features);
    bool has(SyncCompression compression) const;
};

struct SyncStat {
    std::uint32_t error = 0;  // the phone's errno; version 1 only knows that something is missing
    std::uint32_t mode = 0;   // type and permissions, as in stat(2)
    std::uint64_t size = 0;   // version 1: modulo 2^32
    std::int64_t mtime = 0;   // seconds since 1970
};

using SyncBytes = std::vector<std::uint8_t>;

// ---- requests; paths are at most kSyncPathBytesMax, the caller has looked ----
void append_sync_request(SyncBytes& out, SyncId id, std::string_view path);
// The request that comes before DATA and DONE. Version 1 has no compression.
void append_sync_send(SyncBytes& out, bool v2, std::string_view path, std::uint32_t mode, SyncCompression compression);
void append_sync_recv(SyncBytes& out, bool v2, std::string_view path, SyncCompression compression);
void append_sync_data(SyncBytes& out, ByteView bytes);  // at most kSyncDataBytesMax, not empty
void append_sync_done(SyncBytes& out, std::int64_t mtime);

// ---- answers, as the phone's end makes them ----
void append_sync_stat(SyncBytes& out, SyncId id, const SyncStat& stat);
void append_sync_entry(SyncBytes& out, bool v2, std::string_view name, const SyncStat& stat);
void append_sync_list_end(SyncBytes& out, bool v2);
void append_sync_okay(SyncBytes& out);
void append_sync_fail(SyncBytes& out, std::string_view message);  // cut at kSyncMessageBytesMax

class SyncReplySink {
public:
    // What the sink refuses ends the parser with the same error.
    virtual Result<void> on_stat(const SyncStat& stat) = 0;
    virtual Result<void> on_entry(std::string_view name, const SyncStat& stat) = 0;  // "." and ".." too
    virtual Result<void> on_data(ByteView piece) = 0;  // never empty; valid during the call only
    virtual Result<void> on_done() = 0;                // of a listing or of a received file
    virtual Result<void> on_okay() = 0;                // of a sent file
    virtual Result<void> on_fail(std::string message) = 0;

protected:
    ~SyncReplySink() = default;
};

// Takes any split of the answers and keeps at most one header, one name or one message; data passes through in pieces.
class SyncReplyParser {
public:
    enum class Kind : std::uint8_t { stat_v1, stat_v2, list_v1, list_v2, recv, send };
    // A request of this kind was sent; answers come in the order of the requests.
    void expect(Kind kind);
    bool idle() const { return expected_.empty(); }  // every request was answered
    Result<void> feed(ByteView bytes, SyncReplySink& sink);

private:
    enum class State : std::uint8_t { head, name, data, message };
    struct Expected {
        Kind kind;
        std::uint32_t count;  // of the same kind in a row: a thousand small files cost one
    };
    Result<std::size_t> head_bytes() const;
    Result<void> on_head(SyncReplySink& sink);
    Result<void> on_text(SyncReplySink& sink);
    void answered();

    std::deque<Expected> expected_;
    State state_ = State::head;
    std::string head_;        // the fixed part of an answer, so far
    std::string text_;        // a name or a message, so far
    std::uint32_t left_ = 0;  // of the name, the message or the data
    SyncStat entry_;
};

}  // namespace drover::adb
