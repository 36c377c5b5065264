// Gets files and directories from a phone over its file service: one stream, several requests under way.
//
// Threads, failure: as StreamTask. Ownership: the tree is the task's. A link to a file is pulled as that file; a link to a
// directory, and what is no file at all, is left out and told: the service cannot say where a link leads. The first thing the
// phone refuses ends the task, and nothing is kept. Memory: one entry per file of what is pulled, at most kEntriesMax.
#pragma once
#include <deque>
#include <memory>

#include "adb/sync_compression.hpp"
#include "transfer/local_files.hpp"
#include "transfer/pull_tree.hpp"
#include "transfer/push_task.hpp"
#include "transfer/stream_task.hpp"

namespace drover::transfer {

struct PullOptions {
    std::vector<std::string> remotes;
    Compress compress = Compress::none;
};
// The names under which the remotes stand on this host; an error when two are the same.
Result<std::vector<std::string>> pull_names(const std::vector<std::string>& remotes);

class PullTask final : public StreamTask, private adb::SyncReplySink {
public:
    static constexpr std::size_t kUnderWayMax = 32;  // requests sent and not yet answered
    static constexpr std::size_t kLeftOutToldMax = 3;

    // names: of the remotes, see pull_names().
    PullTask(const PullOptions& options, const std::vector<std::string>& names, adb::SyncFeatures features,
             std::unique_ptr<PullTree> tree);

    Result<void> feed(ByteView bytes) override { return parser_.feed(bytes, *this); }
    Result<void> produce(std::size_t room, Bytes& out) override;
    bool done() const override { return todo_.empty() && under_way_.empty(); }
    Result<std::string> finish() override;
    void discard() override { tree_->discard(); }

private:
    enum class Ask : std::uint8_t { stat, stat_link, list, recv };
    struct Item {
        Ask ask = Ask::stat;
        std::string remote;
        std::string name;
        std::size_t depth = 0;
        std::uint32_t mode = 0;
        std::int64_t mtime = 0;
        bool behind_link = false;
    };

    Result<void> on_stat(const adb::SyncStat& stat) override;
    Result<void> on_entry(std::string_view name, const adb::SyncStat& stat) override;
    Result<void> on_data(ByteView piece) override;
    Result<void> on_done() override;
    Result<void> on_okay() override { return {}; }
    Result<void> on_fail(std::string message) override;

    void ask(Item item, Bytes& out);
    Result<void> take(Item item, std::uint32_t mode, std::int64_t mtime);
    void leave_out(const Item& item, std::string_view why);
    Result<void> open_once();
    Item& asked() { return under_way_.front(); }

    const adb::SyncFeatures features_;
    const adb::SyncCompression compression_;
    std::unique_ptr<PullTree> tree_;
    adb::SyncReplyParser parser_;
    std::deque<Item> todo_;
    std::deque<Item> under_way_;
    std::vector<Item> directories_;  // get their times last
    std::unique_ptr<adb::SyncDecoder> decoder_;
    bool open_ = false;  // the file that is being received exists
    std::size_t entries_ = 0;
    std::uint64_t files_ = 0, bytes_ = 0;
    std::vector<std::string> left_out_;
    std::size_t left_out_count_ = 0;
};

}  // namespace drover::transfer
