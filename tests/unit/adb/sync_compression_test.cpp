// Compressed files: the formats are those of the tools lz4, zstd and brotli, both ways, in any split.
#include "adb/sync_compression.hpp"

#include <gmock/gmock.h>

#include "support/process.hpp"

namespace drover::adb {
namespace {

using ::testing::HasSubstr;

struct Format {
    SyncCompression compression;
    const char* tool;
    const char* vector;  // what the tool made of "hello hello hello hello", hex
};
constexpr Format kFormats[] = {
    {SyncCompression::lz4, "lz4", "04224d186440a70f0000006868656c6c6f2006005068656c6c6f00000000f26b940b"},
    {SyncCompression::zstd, "zstd", "28b52ffd04586500003068656c6c6f200100994b11175eae0d"},
    {SyncCompression::brotli, "brotli", "1f1600f88d946ede445586966c206f214f1ce038"},
};
constexpr std::string_view kHello = "hello hello hello hello";

SyncBytes from_hex(std::string_view hex) {
    SyncBytes out;
    for (std::size_t i = 0; i < hex.size(); i += 2)
        out.push_back(static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    return out;
}

std::string sample() {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += "line " + std::to_string(i * 7919 % 10'007) + "\n";
    return text;
}

Result<std::string> decoded(SyncCompression compression, ByteView bytes, std::size_t step) {
    auto decoder = make_sync_decoder(compression);
    std::string out;
    const auto take = [&](ByteView piece) {
        EXPECT_LE(piece.size(), kSyncDataBytesMax);
        out += as_text(piece);
        return Result<void>();
    };
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        if (auto r = decoder->decode(bytes.subspan(at, std::min(step, bytes.size() - at)), take); !r)
            return tl::unexpected(r.error());
    }
    if (auto whole = decoder->finish(); !whole) return tl::unexpected(whole.error());
    return out;
}

SyncBytes encoded(SyncCompression compression, std::string_view text, std::size_t step) {
    auto encoder = make_sync_encoder(compression);
    SyncBytes out;
    for (std::size_t at = 0; at < text.size(); at += step)
        EXPECT_TRUE(encoder->encode(as_bytes(text.substr(at, step)), out));
    EXPECT_TRUE(encoder->finish(out));
    return out;
}

class SyncCompressionTest : public ::testing::TestWithParam<Format> {};
INSTANTIATE_TEST_SUITE_P(All, SyncCompressionTest, ::testing::ValuesIn(kFormats),
                         [](const auto& format) { return std::string(format.param.tool); });

TEST_P(SyncCompressionTest, ReadsWhatTheToolMade) {
    const auto bytes = from_hex(GetParam().vector);
    for (const std::size_t step : {std::size_t{1}, std::size_t{5}, bytes.size()}) {
        const auto out = decoded(GetParam().compression, bytes, step);
        ASSERT_TRUE(out) << out.error().message;
        EXPECT_EQ(*out, kHello);
    }
}

TEST_P(SyncCompressionTest, TheToolReadsWhatItMade) {
    const std::string text = sample();
    drover::test::ProcessOptions options;
    options.argv = {GetParam().tool, "-d", "-c"};
    options.input = std::string(as_text(encoded(GetParam().compression, text, 65'536)));
    const auto ran = drover::test::run(std::move(options));
    EXPECT_EQ(ran.code(), 0) << ran.err;
    EXPECT_EQ(ran.out, text);
}

TEST_P(SyncCompressionTest, BackAndForthInAnySplit) {
    const std::string text = sample();
    for (const std::size_t step : {std::size_t{700}, std::size_t{65'536}, text.size()}) {
        const auto bytes = encoded(GetParam().compression, text, step);
        EXPECT_LT(bytes.size(), text.size());
        const auto out = decoded(GetParam().compression, bytes, step);
        ASSERT_TRUE(out) << out.error().message;
        EXPECT_EQ(*out, text);
    }
}

TEST_P(SyncCompressionTest, AnEmptyFile) {
    const auto out = decoded(GetParam().compression, encoded(GetParam().compression, "", 1), 1);
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(*out, "");
}

TEST_P(SyncCompressionTest, CutBrokenOrTooLongIsAnError) {
    const auto whole = encoded(GetParam().compression, sample(), 65'536);
    const auto cut = decoded(GetParam().compression, ByteView(whole).first(whole.size() - 3), 1000);
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, Code::protocol_error);
    EXPECT_FALSE(decoded(GetParam().compression, as_bytes("certainly nothing of that kind at all"), 100));
    auto more = whole;
    more.insert(more.end(), 10, 'x');
    EXPECT_FALSE(decoded(GetParam().compression, more, more.size()));
}

TEST_P(SyncCompressionTest, WhatIsRefusedEndsIt) {
    const auto whole = encoded(GetParam().compression, sample(), 65'536);
    auto decoder = make_sync_decoder(GetParam().compression);
    int calls = 0;
    const auto r = decoder->decode(whole, [&](ByteView) -> Result<void> {
        ++calls;
        return fail(Code::local_file, "full");
    });
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().message, "full");
    EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace drover::adb
