// Files above 2 and 4 GiB, both ways and in both versions: no size and no place in a file is cut to 32 bits.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "transfer/pull_task.hpp"
#include "transfer/push_task.hpp"

namespace drover::transfer {
namespace {

constexpr std::uint64_t k2GiB = std::uint64_t{1} << 31, k4GiB = std::uint64_t{1} << 32;
constexpr std::size_t kPieceBytes = adb::kSyncDataBytesMax;

// What stands at a place of the file: zeros, but for a mark just before and after each border.
std::uint8_t byte_at(std::uint64_t place) {
    for (const auto border : {k2GiB, k4GiB}) {
        if (place + 1 == border) return 0xA1;
        if (place == border) return 0xB2;
    }
    return 0;
}

bool has_mark(std::uint64_t begin, std::uint64_t end) {
    return (begin <= k2GiB && end >= k2GiB) || (begin <= k4GiB && end >= k4GiB);
}

// Sees whether the bytes that come are those of the file.
class Checker {
public:
    void take(ByteView bytes) {
        if (has_mark(size_, size_ + bytes.size())) {
            for (std::size_t i = 0; i < bytes.size(); ++i) good_ = good_ && bytes[i] == byte_at(size_ + i);
        } else {
            good_ = good_ && bytes.front() == 0 && bytes.back() == 0;
        }
        size_ += bytes.size();
    }
    std::uint64_t size() const { return size_; }
    bool good() const { return good_; }

private:
    std::uint64_t size_ = 0;
    bool good_ = true;
};

ByteView piece_at(std::uint64_t place, std::size_t bytes, std::array<std::uint8_t, kPieceBytes>& marked) {
    static const std::array<std::uint8_t, kPieceBytes> kZeros{};
    if (!has_mark(place, place + bytes)) return ByteView(kZeros).first(bytes);
    for (std::size_t i = 0; i < bytes; ++i) marked[i] = byte_at(place + i);
    return ByteView(marked).first(bytes);
}

class LargeFile final : public LocalFiles {
public:
    explicit LargeFile(std::uint64_t bytes) : bytes_(bytes) {}
    Result<std::vector<LocalEntry>> walk(const std::string& path) override {
        LocalEntry entry;
        entry.path = path;
        entry.mode = 0644;
        entry.bytes = bytes_;
        return std::vector<LocalEntry>{entry};
    }
    Result<std::unique_ptr<LocalReader>> open(const std::string&) override { return std::make_unique<Reader>(bytes_); }

private:
    struct Reader final : LocalReader {
        explicit Reader(std::uint64_t b) : bytes(b) {}
        Result<std::size_t> read(std::span<std::uint8_t> to) override {
            std::array<std::uint8_t, kPieceBytes> marked;
            const auto n = static_cast<std::size_t>(std::min<std::uint64_t>({to.size(), bytes - at, kPieceBytes}));
            const auto piece = piece_at(at, n, marked);
            std::copy(piece.begin(), piece.end(), to.begin());
            at += n;
            return n;
        }
        std::uint64_t bytes, at = 0;
    };
    const std::uint64_t bytes_;
};

struct CheckedTree final : PullTree {
    explicit CheckedTree(Checker& c) : checker(c) {}
    Result<void> make_directory(const std::string&, std::uint32_t) override { return {}; }
    Result<void> create(const std::string&, std::uint32_t) override { return {}; }
    Result<void> write(ByteView bytes) override {
        checker.take(bytes);
        return {};
    }
    Result<void> close(std::int64_t) override { return {}; }
    Result<void> set_directory_time(const std::string&, std::int64_t) override { return {}; }
    Result<void> publish() override { return {}; }
    void discard() override {}
    Checker& checker;
};

struct Version {
    const char* features;
    adb::SyncId stat;
    std::uint64_t bytes;
};

class LargeFiles : public ::testing::TestWithParam<Version> {
protected:
    adb::SyncFeatures features() const { return adb::SyncFeatures::of(adb::Features::parse(GetParam().features)); }
};

INSTANTIATE_TEST_SUITE_P(Versions, LargeFiles,
                         ::testing::Values(Version{"", adb::SyncId::lstat_v1, k4GiB + 1},
                                           Version{"", adb::SyncId::lstat_v1, k4GiB},
                                           Version{"stat_v2,ls_v2,sendrecv_v2", adb::SyncId::stat_v2, k4GiB + 1}));

// In version 1 the phone says a size modulo 2^32: 0 and 1 here. Nobody believes it.
TEST_P(LargeFiles, FromAPhone) {
    Checker got;
    PullTask task({{"/big"}, Compress::none}, {"big"}, features(), std::make_unique<CheckedTree>(got));
    Bytes asked, answer;
    ASSERT_TRUE(task.produce(1 << 20, asked));
    adb::append_sync_stat(answer, GetParam().stat, {0, S_IFREG | 0644, GetParam().bytes, 7});
    ASSERT_TRUE(task.feed(answer));
    ASSERT_TRUE(task.produce(1 << 20, asked));
    std::array<std::uint8_t, kPieceBytes> marked;
    for (std::uint64_t at = 0; at < GetParam().bytes;) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(GetParam().bytes - at, kPieceBytes));
        answer.clear();
        adb::append_sync_data(answer, piece_at(at, n, marked));
        ASSERT_TRUE(task.feed(answer));
        at += n;
    }
    answer.clear();
    adb::append_sync_done(answer, 0);
    ASSERT_TRUE(task.feed(answer));
    EXPECT_TRUE(task.done());
    EXPECT_EQ(got.size(), GetParam().bytes);
    EXPECT_TRUE(got.good());
    EXPECT_EQ(task.finish().value(), fmt::format("1 file, {} bytes\n", GetParam().bytes));
}

TEST_P(LargeFiles, ToAPhone) {
    LargeFile files(GetParam().bytes);
    auto plan = plan_push(files, {"/big"});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->bytes, GetParam().bytes);
    PushOptions options;
    options.remote = "/sdcard/big";
    PushTask task(std::make_shared<const PushPlan>(*std::move(plan)), options, features(), files,
                  std::make_shared<EmptyDirectories>());
    Bytes out, answer;
    ASSERT_TRUE(task.produce(1 << 20, out));
    // Something is there, of the same size.
    adb::append_sync_stat(answer, GetParam().stat, {0, S_IFREG | 0644, GetParam().bytes, 7});
    ASSERT_TRUE(task.feed(answer));
    // The requests before the first DATA are short, and in one piece.
    Checker sent;
    std::size_t at = 0;
    bool ended = false;
    out.clear();
    while (!ended) {
        if (at == out.size()) {
            at = 0;
            out.clear();
            ASSERT_TRUE(task.produce(1 << 20, out));
            ASSERT_FALSE(out.empty());
        }
        const auto id = static_cast<adb::SyncId>(load_le32(out.data() + at));
        const auto length = load_le32(out.data() + at + 4);
        at += 8;
        if (id == adb::SyncId::data) sent.take(ByteView(out).subspan(at, length));
        if (id == adb::SyncId::send_v2) at += 12;
        ended = id == adb::SyncId::done;
        if (!ended) at += length;
    }
    answer.clear();
    adb::append_sync_okay(answer);
    ASSERT_TRUE(task.feed(answer));
    ASSERT_TRUE(task.produce(1 << 20, out));
    EXPECT_TRUE(task.done());
    EXPECT_EQ(sent.size(), GetParam().bytes);
    EXPECT_TRUE(sent.good());
    EXPECT_EQ(task.finish().value(), fmt::format("1 file, {} bytes\n", GetParam().bytes));
}

}  // namespace
}  // namespace drover::transfer
