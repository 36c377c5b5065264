// Files with holes read and written as what they stand for.
#include "base/holes.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <string>
#include <vector>

#include "support/temp_dir.hpp"

namespace drover {
namespace {

std::string read_all(int fd, std::size_t piece) {
    HoleReader reader;
    std::string all;
    std::vector<std::uint8_t> buffer(piece);
    for (ssize_t n = 0; (n = reader.read(fd, buffer)) > 0;)
        all.append(reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(n));
    return all;
}

TEST(Holes, AreSkippedAndReadBack) {
    const test::TempDir dir;
    constexpr std::size_t kBlock = 64 * 1024;
    // Data and zeros in every order, beginning and ending with either.
    for (const std::string shape : {"", "0", "x", "0x", "x0", "0x0", "x0x", "00xx00x0", "xx00x00xx"}) {
        std::string text;
        for (const char c : shape) text += std::string(kBlock, c == '0' ? '\0' : 'x');
        const auto path = (dir / "f").string();
        const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
        ASSERT_GE(fd, 0);
        bool has_hole = false;
        for (std::size_t at = 0; at < text.size();) {
            const auto piece = as_bytes(text).subspan(at, std::min(kBlock, text.size() - at));
            at += piece.size();
            if (is_hole(piece)) {
                has_hole = true;
                ASSERT_TRUE(skip_hole(fd, piece));
            } else {
                ASSERT_EQ(::write(fd, piece.data(), piece.size()), static_cast<ssize_t>(piece.size()));
            }
        }
        if (has_hole) ASSERT_TRUE(end_hole(fd));
        EXPECT_EQ(test::read_file(path), text) << shape;
        for (const std::size_t piece : {std::size_t{1'000}, kBlock, 3 * kBlock}) {
            ::lseek(fd, 0, SEEK_SET);
            EXPECT_EQ(read_all(fd, piece), text) << shape << ", pieces of " << piece;
        }
        ::close(fd);
    }
}

TEST(Holes, ShortOrMixedPiecesAreNone) {
    std::array<std::uint8_t, kHoleBytesMin> piece{};
    EXPECT_TRUE(is_hole(piece));
    EXPECT_FALSE(is_hole(ByteView(piece).first(kHoleBytesMin - 1)));
    piece.back() = 1;
    EXPECT_FALSE(is_hole(piece));
    piece.back() = 0;
    piece.front() = 1;
    EXPECT_FALSE(is_hole(piece));
}

TEST(Holes, WhatKnowsNoPlacesIsReadAsItComes) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::write(ends[1], "text", 4), 4);
    ::close(ends[1]);
    EXPECT_EQ(read_all(ends[0], 3), "text");
    ::close(ends[0]);
    const int status = ::open("/proc/self/status", O_RDONLY);
    EXPECT_EQ(read_all(status, 100).substr(0, 5), "Name:");
    ::close(status);
}

}  // namespace
}  // namespace drover
