// What a phone's file service answers: however it is split, the same comes of it; and whatever a phone says to a pull, a name
// never leads out of the place that files are written to.
#include "adb/sync.hpp"
#include "base/assert.hpp"
#include "transfer/pull_task.hpp"

namespace {

using namespace drover;
using namespace drover::transfer;

constexpr std::size_t kKeptBytesMax = 64 * 1024 * 1024;  // compressed data may be a bomb

struct Seen {
    std::size_t bytes = 0;
};

class CheckedTree final : public PullTree {
public:
    explicit CheckedTree(Seen& seen) : seen_(seen) {}
    Result<void> make_directory(const std::string& name, std::uint32_t) override { return check(name); }
    Result<void> create(const std::string& name, std::uint32_t) override { return check(name); }
    Result<void> write(ByteView bytes) override {
        seen_.bytes += bytes.size();
        if (seen_.bytes > kKeptBytesMax) return fail(Code::local_file, "full");
        return {};
    }
    Result<void> close(std::int64_t) override { return {}; }
    Result<void> set_directory_time(const std::string&, std::int64_t) override { return {}; }
    Result<void> publish() override { return {}; }
    void discard() override {}

private:
    static Result<void> check(const std::string& name) {
        DROVER_ASSERT(name.starts_with("top") && name.find('\0') == std::string::npos);
        const std::string padded = "/" + name + "/";
        DROVER_ASSERT(padded.find("/../") == std::string::npos && padded.find("/./") == std::string::npos);
        DROVER_ASSERT(padded.find("//") == std::string::npos);
        return {};
    }
    Seen& seen_;
};

// Requests are made as soon as something can be asked, so that the answers meet questions.
void pull(ByteView bytes, const adb::SyncFeatures& features, Compress compress) {
    Seen seen;
    PullOptions options;
    options.remotes = {"/top"};
    options.compress = compress;
    PullTask task(options, {"top"}, features, std::make_unique<CheckedTree>(seen));
    Bytes asked;
    for (std::size_t at = 0; at < bytes.size() && !task.done(); ++at) {
        if (!task.produce(SIZE_MAX, asked) || !task.feed(bytes.subspan(at, 1))) return;
        asked.clear();
    }
}

struct Noted final : adb::SyncReplySink {
    std::string told, data;
    Result<void> note(std::string_view what) {
        told += what;
        told += '\n';
        return {};
    }
    Result<void> on_stat(const adb::SyncStat& s) override { return note("stat " + std::to_string(s.size)); }
    Result<void> on_entry(std::string_view name, const adb::SyncStat& s) override {
        DROVER_ASSERT(!name.empty() && name.find('/') == std::string_view::npos);
        return note(std::string(name) + std::to_string(s.mtime));
    }
    Result<void> on_data(ByteView piece) override {
        DROVER_ASSERT(!piece.empty());
        data += as_text(piece);
        return {};
    }
    Result<void> on_done() override { return note("done"); }
    Result<void> on_okay() override { return note("okay"); }
    Result<void> on_fail(std::string message) override { return note("fail " + message); }
};

void split(ByteView bytes, std::size_t step, std::uint8_t kinds) {
    Noted one, many;
    adb::SyncReplyParser whole, pieces;
    for (int i = 0; i < 8; ++i) {
        const auto kind = static_cast<adb::SyncReplyParser::Kind>((kinds >> (i % 6)) % 6);
        whole.expect(kind);
        pieces.expect(kind);
    }
    const bool first = whole.feed(bytes, one).has_value();
    bool second = true;
    for (std::size_t at = 0; second && at < bytes.size(); at += step)
        second = pieces.feed(bytes.subspan(at, std::min(step, bytes.size() - at)), many).has_value();
    DROVER_ASSERT(first == second && one.told == many.told && one.data == many.data);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const ByteView bytes(data + 2, size - 2);
    split(bytes, std::size_t{1} + data[0] % 64, data[1]);
    adb::SyncFeatures features;
    features.stat_v2 = (data[1] & 1) != 0;
    features.list_v2 = (data[1] & 2) != 0;
    features.send_recv_v2 = features.brotli = features.lz4 = features.zstd = (data[1] & 4) != 0;
    constexpr Compress kAll[] = {Compress::none, Compress::brotli, Compress::lz4, Compress::zstd};
    pull(bytes, features, kAll[data[1] >> 4 & 3]);
    return 0;
}
