#include "transfer/pull_task.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/counted.hpp"

namespace drover::transfer {

using adb::SyncCompression;
using adb::SyncId;
using Kind = adb::SyncReplyParser::Kind;

namespace {

SyncCompression chosen(Compress wanted, const adb::SyncFeatures& features) {
    switch (wanted) {
        case Compress::brotli: return features.brotli ? SyncCompression::brotli : SyncCompression::none;
        case Compress::lz4: return features.lz4 ? SyncCompression::lz4 : SyncCompression::none;
        case Compress::zstd: return features.zstd ? SyncCompression::zstd : SyncCompression::none;
        case Compress::automatic:
        case Compress::none: break;
    }
    return SyncCompression::none;
}

std::string below(const std::string& folder, std::string_view name) {
    return folder.ends_with('/') ? fmt::format("{}{}", folder, name) : fmt::format("{}/{}", folder, name);
}

}  // namespace

Result<std::vector<std::string>> pull_names(const std::vector<std::string>& remotes) {
    std::vector<std::string> names;
    std::set<std::string> seen;
    for (std::string remote : remotes) {
        if (remote.empty() || remote.size() >= adb::kSyncPathBytesMax)
            return fail(Code::usage, fmt::format("'{}': the path on the phone is empty or too long", remote));
        while (remote.size() > 1 && remote.back() == '/') remote.pop_back();
        std::string name = remote.substr(remote.rfind('/') + 1);
        if (name.empty()) name = "root";
        if (name == "." || name == ".." || name.size() > adb::kSyncNameBytesMax)
            return fail(Code::usage, fmt::format("'{}' does not end in a name", remote));
        if (!seen.insert(name).second) return fail(Code::usage, fmt::format("two of the paths end in '{}'", name));
        names.push_back(std::move(name));
    }
    return names;
}

PullTask::PullTask(const PullOptions& options, const std::vector<std::string>& names, adb::SyncFeatures features,
                   std::unique_ptr<PullTree> tree)
    : features_(features), compression_(chosen(options.compress, features)), tree_(std::move(tree)) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        Item item;
        item.remote = options.remotes[i];
        item.name = names[i];
        todo_.push_back(std::move(item));
    }
}

Result<void> PullTask::produce(std::size_t room, Bytes& out) {
    while (!todo_.empty() && under_way_.size() < kUnderWayMax && out.size() < room) {
        Item item = std::move(todo_.front());
        todo_.pop_front();
        if (item.remote.size() >= adb::kSyncPathBytesMax)
            return fail(Code::file_failed, fmt::format("a path of {} bytes: {}...", item.remote.size(),
                                                       item.remote.substr(0, adb::kSyncNameBytesMax)));
        ask(std::move(item), out);
    }
    return {};
}

void PullTask::ask(Item item, Bytes& out) {
    switch (item.ask) {
        case Ask::stat:
            adb::append_sync_request(out, features_.stat_v2 ? SyncId::stat_v2 : SyncId::lstat_v1, item.remote);
            parser_.expect(features_.stat_v2 ? Kind::stat_v2 : Kind::stat_v1);
            break;
        case Ask::stat_link:  // version 1 follows a link only to look for a directory behind it
            adb::append_sync_request(out, features_.stat_v2 ? SyncId::stat_v2 : SyncId::lstat_v1,
                                     features_.stat_v2 ? item.remote : item.remote + '/');
            parser_.expect(features_.stat_v2 ? Kind::stat_v2 : Kind::stat_v1);
            break;
        case Ask::list:
            adb::append_sync_request(out, features_.list_v2 ? SyncId::list_v2 : SyncId::list_v1, item.remote);
            parser_.expect(features_.list_v2 ? Kind::list_v2 : Kind::list_v1);
            break;
        case Ask::recv:
            adb::append_sync_recv(out, features_.send_recv_v2, item.remote, compression_);
            parser_.expect(Kind::recv);
            break;
    }
    under_way_.push_back(std::move(item));
}

Result<void> PullTask::on_stat(const adb::SyncStat& stat) {
    Item item = std::move(asked());
    under_way_.pop_front();
    if (item.ask == Ask::stat) {
        if (stat.error != 0) return fail(Code::file_failed, item.remote + ": No such file or directory");
        if (S_ISLNK(stat.mode)) {  // version 1
            item.ask = Ask::stat_link;
            item.mtime = stat.mtime;
            todo_.push_front(std::move(item));
            return {};
        }
        return take(std::move(item), stat.mode, stat.mtime);
    }
    const bool top = item.depth == 0;
    if (stat.error == 0 && S_ISDIR(stat.mode)) {
        if (top) return take(std::move(item), stat.mode, stat.mtime);
        leave_out(item, "a link to a directory");
        return {};
    }
    item.behind_link = true;
    if (stat.error == 0) return take(std::move(item), stat.mode, stat.mtime);
    if (features_.stat_v2) {
        leave_out(item, "a link to nothing");
        return {};
    }
    const auto mtime = item.mtime;
    return take(std::move(item), S_IFREG | 0644, mtime);
}

// A phone's entry whose kind is known: what is to be done with it.
Result<void> PullTask::take(Item item, std::uint32_t mode, std::int64_t mtime) {
    if (++entries_ > kEntriesMax)
        return fail(Code::file_failed, fmt::format("more than {} files and directories", kEntriesMax));
    item.mode = mode;
    item.mtime = mtime;
    if (S_ISREG(mode)) {
        item.ask = Ask::recv;
    } else if (S_ISDIR(mode)) {
        if (item.depth >= kDepthMax) return fail(Code::file_failed, item.remote + ": too deep");
        if (auto made = tree_->make_directory(item.name, mode); !made) return made;
        item.ask = Ask::list;
        directories_.push_back(item);
    } else if (S_ISLNK(mode)) {
        item.ask = Ask::stat_link;
    } else {
        leave_out(item, "not a file");
        return {};
    }
    todo_.push_back(std::move(item));
    return {};
}

void PullTask::leave_out(const Item& item, std::string_view why) {
    if (++left_out_count_ <= kLeftOutToldMax) left_out_.push_back(fmt::format("{} ({})", item.remote, why));
}

Result<void> PullTask::on_entry(std::string_view name, const adb::SyncStat& stat) {
    if (name == "." || name == "..") return {};
    const Item& folder = asked();
    Item item;
    item.remote = below(folder.remote, name);
    item.name = below(folder.name, name);
    item.depth = folder.depth + 1;
    if (stat.error != 0) return fail(Code::file_failed, item.remote + ": its state cannot be read");
    return take(std::move(item), stat.mode, stat.mtime);
}

Result<void> PullTask::open_once() {
    if (std::exchange(open_, true)) return {};
    decoder_ = adb::make_sync_decoder(compression_);
    return tree_->create(asked().name, asked().mode);
}

Result<void> PullTask::on_data(ByteView piece) {
    if (auto opened = open_once(); !opened) return opened;
    const auto write = [this](ByteView bytes) {
        bytes_ += bytes.size();
        return tree_->write(bytes);
    };
    return decoder_ ? decoder_->decode(piece, write) : write(piece);
}

Result<void> PullTask::on_done() {
    const Item item = std::move(asked());
    if (item.ask == Ask::list) {
        under_way_.pop_front();
        return {};
    }
    under_way_.front() = item;
    if (auto opened = open_once(); !opened) return opened;
    if (decoder_) {
        if (auto whole = decoder_->finish(); !whole) return whole;
        decoder_.reset();
    }
    under_way_.pop_front();
    open_ = false;
    ++files_;
    return tree_->close(item.mtime);
}

Result<void> PullTask::on_fail(std::string message) {
    const Item item = std::move(asked());
    under_way_.pop_front();
    if (item.behind_link && !open_) {
        leave_out(item, "a link: " + message);
        return {};
    }
    return fail(Code::file_failed, fmt::format("{}: {}", item.remote, message));
}

Result<std::string> PullTask::finish() {
    // From the deepest up: a file that is written changes the time of its directory.
    for (auto it = directories_.rbegin(); it != directories_.rend(); ++it) {
        if (auto set = tree_->set_directory_time(it->name, it->mtime); !set) return tl::unexpected(set.error());
    }
    if (auto published = tree_->publish(); !published) return tl::unexpected(published.error());
    std::string text = fmt::format("{}, {}\n", counted(files_, "file"), counted(bytes_, "byte"));
    if (left_out_count_ > 0) {
        text += fmt::format("{} left out: {}{}\n", left_out_count_, fmt::join(left_out_, ", "),
                            left_out_count_ > left_out_.size() ? ", ..." : "");
    }
    return text;
}

}  // namespace drover::transfer
