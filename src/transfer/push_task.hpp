// Sends files to a phone over its file service: one stream for all of them, small ones packed together, no wait between files.
//
// Threads, failure: as StreamTask. Ownership: the plan is shared by all phones; files outlive the task. The phone removes what
// it has received in part by itself (AOSP: daemon/file_sync_service.cpp). Memory: one piece of a file and its compressor.
#pragma once
#include <memory>
#include <optional>

#include "adb/sync_compression.hpp"
#include "transfer/local_files.hpp"
#include "transfer/stream_task.hpp"

namespace drover::transfer {

struct PushSource {
    std::string name;  // the last part of its path
    bool directory = false;
    std::vector<LocalEntry> entries;
};
struct PushPlan {
    std::vector<PushSource> sources;
    std::uint64_t files = 0;  // and links
    std::uint64_t bytes = 0;
};
// Looks at all files, once for all phones. Blocks.
Result<PushPlan> plan_push(LocalFiles& files, const std::vector<std::string>& locals);

// automatic: lz4 where the phone offers it and the file's beginning gets smaller by it.
enum class Compress : std::uint8_t { automatic, none, brotli, lz4, zstd };

struct PushOptions {
    std::string remote;  // a file, or a directory that exists or ends with '/', as for `adb push`
    Compress compress = Compress::automatic;
    std::optional<std::uint32_t> mode;  // of all files, instead of their own
};

// Directories in which nothing is: the file service cannot make them.
using EmptyDirectories = std::vector<std::string>;

class PushTask final : public StreamTask, private adb::SyncReplySink {
public:
    PushTask(std::shared_ptr<const PushPlan> plan, PushOptions options, adb::SyncFeatures features, LocalFiles& files,
             std::shared_ptr<EmptyDirectories> empty);

    Result<void> feed(ByteView bytes) override { return parser_.feed(bytes, *this); }
    Result<void> produce(std::size_t room, Bytes& out) override;
    bool done() const override { return stage_ == Stage::sent && answered_ == sent_; }
    Result<std::string> finish() override;

private:
    enum class Stage : std::uint8_t { ask, asked, send, sent };
    struct Place {
        std::size_t source = 0, entry = 0;
    };

    Result<void> on_stat(const adb::SyncStat& stat) override;
    Result<void> on_entry(std::string_view, const adb::SyncStat&) override { return {}; }
    Result<void> on_data(ByteView) override { return {}; }
    Result<void> on_done() override { return {}; }
    Result<void> on_okay() override;
    Result<void> on_fail(std::string message) override;

    const LocalEntry* at(const Place& place) const;
    void advance(Place& place) const;  // to the next file or link, or the end
    std::string remote_path(const Place& place) const;
    Result<void> begin(Bytes& out);
    Result<void> send_piece(Bytes& out);
    Result<void> end_file(Bytes& out);
    Result<void> open_file(const LocalEntry& entry, const std::string& path, Bytes& out);
    Result<adb::SyncCompression> choose(const LocalEntry& entry);
    void append_encoded(Bytes& out);

    const std::shared_ptr<const PushPlan> plan_;
    const PushOptions options_;
    const adb::SyncFeatures features_;
    LocalFiles& files_;
    const std::shared_ptr<EmptyDirectories> empty_;
    adb::SyncReplyParser parser_;
    Stage stage_ = Stage::ask;
    bool into_ = false;  // the remote is a directory
    Place next_;         // to be sent
    Place waiting_;      // to be answered
    std::size_t sent_ = 0, answered_ = 0;
    std::unique_ptr<LocalReader> reader_;  // of the file that is being sent
    std::int64_t mtime_ = 0;
    Bytes begun_;  // its beginning, read to see whether it can be compressed
    std::unique_ptr<adb::SyncEncoder> encoder_;
    Bytes encoded_;
};

}  // namespace drover::transfer
