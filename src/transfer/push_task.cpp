#include "transfer/push_task.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/counted.hpp"

namespace drover::transfer {

using adb::SyncCompression;
using adb::SyncId;
using Kind = adb::SyncReplyParser::Kind;

namespace {

constexpr std::size_t kPieceBytes = adb::kSyncDataBytesMax;
constexpr std::size_t kHeadBytes = 8;

std::string last_name(const std::string& path) {
    auto p = std::filesystem::path(path).lexically_normal();
    if (!p.has_filename()) p = p.parent_path();
    std::string name = p.filename().string();
    if (name.empty() || name == "." || name == "..") {
        std::error_code ignored;
        name = std::filesystem::canonical(path, ignored).filename().string();
    }
    return name;
}

std::string joined(const std::string& folder, const std::string& name) {
    if (name.empty()) return folder;
    return folder.ends_with('/') ? folder + name : folder + '/' + name;
}

}  // namespace

Result<PushPlan> plan_push(LocalFiles& files, const std::vector<std::string>& locals) {
    PushPlan plan;
    for (const auto& local : locals) {
        auto entries = files.walk(local);
        if (!entries) return tl::unexpected(entries.error());
        PushSource source;
        source.name = last_name(local);
        source.directory = entries->front().kind == LocalEntry::Kind::directory;
        for (const auto& entry : *entries) {
            if (entry.kind == LocalEntry::Kind::directory) continue;
            ++plan.files;
            plan.bytes += entry.bytes;
        }
        source.entries = std::move(*entries);
        plan.sources.push_back(std::move(source));
    }
    return plan;
}

PushTask::PushTask(std::shared_ptr<const PushPlan> plan, PushOptions options, adb::SyncFeatures features,
                   LocalFiles& files, std::shared_ptr<EmptyDirectories> empty)
    : plan_(std::move(plan)),
      options_(std::move(options)),
      features_(features),
      files_(files),
      empty_(std::move(empty)) {}

const LocalEntry* PushTask::at(const Place& place) const {
    if (place.source >= plan_->sources.size()) return nullptr;
    return &plan_->sources[place.source].entries[place.entry];
}

void PushTask::advance(Place& place) const {
    const auto step = [&] {
        if (++place.entry < plan_->sources[place.source].entries.size()) return;
        ++place.source;
        place.entry = 0;
    };
    step();
    while (at(place) && at(place)->kind == LocalEntry::Kind::directory) step();
}

// As `adb push`: into a directory by its own name; to a name that is not there, under that name.
std::string PushTask::remote_path(const Place& place) const {
    const PushSource& source = plan_->sources[place.source];
    const std::string top = into_ ? joined(options_.remote, source.name) : options_.remote;
    return joined(top, source.entries[place.entry].name);
}

Result<void> PushTask::produce(std::size_t room, Bytes& out) {
    if (stage_ == Stage::ask) {
        if (options_.remote.empty() || options_.remote.size() >= adb::kSyncPathBytesMax)
            return fail(Code::usage, "the path on the phone is empty or too long");
        adb::append_sync_request(out, features_.stat_v2 ? SyncId::stat_v2 : SyncId::lstat_v1, options_.remote + "/");
        parser_.expect(features_.stat_v2 ? Kind::stat_v2 : Kind::stat_v1);
        stage_ = Stage::asked;
    }
    while (stage_ == Stage::send && out.size() < room) {
        auto sent = reader_ ? send_piece(out) : begin(out);
        if (!sent) return sent;
    }
    return {};
}

// With '/' at the end, links are followed by both versions, and only a directory is found.
Result<void> PushTask::on_stat(const adb::SyncStat& stat) {
    into_ = options_.remote.ends_with('/') || (stat.error == 0 && S_ISDIR(stat.mode));
    if (!into_ && plan_->sources.size() > 1)
        return fail(Code::file_failed,
                    options_.remote + ": several files need a directory that is there, or a '/' at the end");
    for (std::size_t s = 0; s < plan_->sources.size(); ++s) {
        for (std::size_t e = 0; e < plan_->sources[s].entries.size(); ++e) {
            if (plan_->sources[s].entries[e].empty) empty_->push_back(remote_path({s, e}));
        }
    }
    stage_ = Stage::send;
    if (at(next_) && at(next_)->kind == LocalEntry::Kind::directory) advance(next_);
    waiting_ = next_;
    return {};
}

Result<void> PushTask::begin(Bytes& out) {
    const LocalEntry* const entry = at(next_);
    if (!entry) {
        stage_ = Stage::sent;
        return {};
    }
    const std::string path = remote_path(next_);
    constexpr std::size_t kModeBytes = 8;  // version 1 has the mode behind the path
    if (path.size() + kModeBytes > adb::kSyncPathBytesMax)
        return fail(Code::usage, fmt::format("{}: the path on the phone has {} bytes, the limit is {}", entry->path,
                                             path.size(), adb::kSyncPathBytesMax - kModeBytes));
    parser_.expect(Kind::send);
    ++sent_;
    if (entry->kind == LocalEntry::Kind::file) return open_file(*entry, path, out);
    adb::append_sync_send(out, features_.send_recv_v2, path, S_IFLNK | 0777, SyncCompression::none);
    if (!entry->target.empty()) adb::append_sync_data(out, as_bytes(entry->target));
    mtime_ = entry->mtime;
    return end_file(out);
}

Result<void> PushTask::open_file(const LocalEntry& entry, const std::string& path, Bytes& out) {
    auto reader = files_.open(entry.path);
    if (!reader) return tl::unexpected(reader.error());
    reader_ = std::move(*reader);
    mtime_ = entry.mtime;
    const auto compression = choose(entry);
    if (!compression) return tl::unexpected(compression.error());
    const std::uint32_t mode = S_IFREG | (options_.mode.value_or(entry.mode) & 0777);
    adb::append_sync_send(out, features_.send_recv_v2, path, mode, *compression);
    encoder_ = adb::make_sync_encoder(*compression);
    return {};
}

Result<SyncCompression> PushTask::choose(const LocalEntry& entry) {
    constexpr std::uint64_t kWorthwhileBytes = 4096;
    const auto offered = [&](SyncCompression c) { return features_.has(c) ? c : SyncCompression::none; };
    switch (options_.compress) {
        case Compress::none: return SyncCompression::none;
        case Compress::brotli: return offered(SyncCompression::brotli);
        case Compress::lz4: return offered(SyncCompression::lz4);
        case Compress::zstd: return offered(SyncCompression::zstd);
        case Compress::automatic: break;
    }
    if (!features_.lz4 || entry.bytes < kWorthwhileBytes) return SyncCompression::none;
    begun_.resize(kPieceBytes);
    const auto n = reader_->read(begun_);
    if (!n) return tl::unexpected(n.error());
    begun_.resize(*n);
    Bytes tried;
    const auto trial = adb::make_sync_encoder(SyncCompression::lz4);
    if (auto r = trial->encode(begun_, tried); !r) return tl::unexpected(r.error());
    if (auto r = trial->finish(tried); !r) return tl::unexpected(r.error());
    constexpr double kWorthwhile = 0.9;
    const bool smaller = static_cast<double>(tried.size()) < kWorthwhile * static_cast<double>(begun_.size());
    return smaller ? SyncCompression::lz4 : SyncCompression::none;
}

// Reads right behind the head of a DATA in `out`.
Result<void> PushTask::send_piece(Bytes& out) {
    const std::size_t head = out.size();
    std::size_t n = begun_.size();
    if (n > 0) {
        if (encoder_) {
            std::swap(encoded_, begun_);
        } else {
            adb::append_sync_data(out, begun_);
        }
        begun_.clear();
        if (!encoder_) return {};
        const Bytes piece = std::exchange(encoded_, {});
        if (auto r = encoder_->encode(piece, encoded_); !r) return r;
        append_encoded(out);
        return {};
    }
    out.resize(head + kHeadBytes + kPieceBytes);
    const auto got = reader_->read(std::span(out).subspan(head + kHeadBytes));
    if (!got) return tl::unexpected(got.error());
    n = *got;
    if (n == 0) {
        out.resize(head);
        return end_file(out);
    }
    if (encoder_) {
        auto r = encoder_->encode(ByteView(out).subspan(head + kHeadBytes, n), encoded_);
        out.resize(head);
        if (!r) return r;
        append_encoded(out);
        return {};
    }
    store_le32(out.data() + head, static_cast<std::uint32_t>(SyncId::data));
    store_le32(out.data() + head + 4, static_cast<std::uint32_t>(n));
    out.resize(head + kHeadBytes + n);
    return {};
}

void PushTask::append_encoded(Bytes& out) {
    ByteView rest(encoded_);
    while (!rest.empty()) {
        const auto piece = rest.first(std::min(rest.size(), kPieceBytes));
        adb::append_sync_data(out, piece);
        rest = rest.subspan(piece.size());
    }
    encoded_.clear();
}

Result<void> PushTask::end_file(Bytes& out) {
    if (encoder_) {
        if (auto r = encoder_->finish(encoded_); !r) return r;
        append_encoded(out);
    }
    encoder_.reset();
    reader_.reset();
    adb::append_sync_done(out, mtime_);
    advance(next_);
    return {};
}

Result<void> PushTask::on_okay() {
    ++answered_;
    // It said so before it had the whole file.
    if (answered_ > sent_ || (answered_ == sent_ && reader_)) {
        return fail(Code::protocol_error, "sync: the phone acknowledged a file before its end");
    }
    advance(waiting_);
    return {};
}

Result<void> PushTask::on_fail(std::string message) {
    const std::string path = at(waiting_) ? remote_path(waiting_) : options_.remote;
    return fail(Code::file_failed, fmt::format("{}: {}", path, message));
}

Result<std::string> PushTask::finish() {
    return fmt::format("{}, {}\n", counted(plan_->files, "file"), counted(plan_->bytes, "byte"));
}

}  // namespace drover::transfer
