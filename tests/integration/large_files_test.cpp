// Files above 2 and 4 GiB between this host and virtual phones. They are holes but for a few bytes, on both sides: little is written.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "support/drover.hpp"
#include "support/rounds.hpp"

namespace drover::test {
namespace {

using ::testing::MatchesRegex;

constexpr off_t k2GiB = off_t{1} << 31, k4GiB = off_t{1} << 32;

class LargeFilesTest : public ::testing::Test {
protected:
    // Marks on both sides of each border, and at the end.
    void make(const std::string& name, off_t size) {
        const auto path = dir.write(name, "begin");
        const int fd = ::open(path.c_str(), O_WRONLY);
        ASSERT_GE(fd, 0);
        for (const off_t border : {k2GiB, k4GiB, size - 1}) {
            if (border + 1 < size) ASSERT_EQ(::pwrite(fd, "><", 2, border - 1), 2);
        }
        ASSERT_EQ(::pwrite(fd, "!", 1, size - 1), 1);
        ::close(fd);
    }
    std::string there_and_back(const std::string& name, const SimProcess& phone, const std::vector<std::string>& how) {
        const auto drover = [&](std::vector<std::string> args) {
            args.insert(args.end(), {"--inventory", phone.inventory(), "--timeout", "120s", "--output", "lines"});
            args.insert(args.end(), how.begin(), how.end());
            return run_drover(std::move(args), {}).err;
        };
        auto told = drover({"push", (dir / name).string(), "/sdcard/" + name});
        told += drover({"pull", "/sdcard/" + name, (dir / "out").string()});
        return told;
    }
    // Only what is no hole is read.
    void expect_same(const std::string& name) const {
        const auto one = dir / name, other = dir / "out" / "vphone-0001" / name;
        struct stat a {};
        struct stat b {};
        ASSERT_EQ(::stat(one.c_str(), &a), 0);
        ASSERT_EQ(::stat(other.c_str(), &b), 0) << other;
        EXPECT_EQ(a.st_size, b.st_size);
        constexpr blkcnt_t kBlocksMax = 262'144;  // 128 MiB
        EXPECT_LE(b.st_blocks, kBlocksMax) << "the holes were written";
        EXPECT_EQ(data_of(one), data_of(other));
    }
    // The bytes that are not zero, with their places.
    static std::map<off_t, char> data_of(const std::filesystem::path& path) {
        std::map<off_t, char> out;
        const int fd = ::open(path.c_str(), O_RDONLY);
        for (off_t at = ::lseek(fd, 0, SEEK_DATA); at >= 0; at = ::lseek(fd, at, SEEK_DATA)) {
            const off_t end = ::lseek(fd, at, SEEK_HOLE);
            std::string piece(static_cast<std::size_t>(end - at), '\0');
            EXPECT_EQ(::pread(fd, piece.data(), piece.size(), at), static_cast<ssize_t>(piece.size()));
            for (std::size_t i = 0; i < piece.size(); ++i) {
                if (piece[i] != 0) out[at + static_cast<off_t>(i)] = piece[i];
            }
            at = end;
        }
        ::close(fd);
        return out;
    }

    TempDir dir;
};

// Each byte of it goes over the wire, which takes its time.
TEST_F(LargeFilesTest, Above2GiBInVersion1) {
    if (rounds(1) == 1) GTEST_SKIP() << "only with DROVER_TEST_ROUNDS";
    const auto profile = dir.write("old.yaml",
                                   "version: 1\nname: old\nprotocol: modern\n"
                                   "without-features: [stat_v2, ls_v2, sendrecv_v2]\n");
    const SimProcess phone(1, {"--profile", profile.string()});
    make("two", k2GiB + 5);
    const auto told = there_and_back("two", phone, {});
    EXPECT_THAT(told, MatchesRegex("(drover: 1 phone: 1 ok in .*\n){2}"));
    expect_same("two");
}

TEST_F(LargeFilesTest, Above4GiBCompressed) {
    const SimProcess phone(1);
    make("four", k4GiB + 5);
    const auto told = there_and_back("four", phone, {"--compress", "lz4"});
    EXPECT_THAT(told, MatchesRegex("(drover: 1 phone: 1 ok in .*\n){2}"));
    expect_same("four");
}

}  // namespace
}  // namespace drover::test
