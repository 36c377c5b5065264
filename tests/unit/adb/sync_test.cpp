// The file service as bytes: exact requests, answers in any split, and phones that lie.
#include "adb/sync.hpp"

#include <gmock/gmock.h>

namespace drover::adb {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = SyncReplyParser::Kind;

std::string text(const SyncBytes& bytes) { return std::string(as_text(bytes)); }
std::string le(std::uint32_t value) {
    std::string out(4, '\0');
    store_le32(reinterpret_cast<std::uint8_t*>(out.data()), value);
    return out;
}

struct NotedReplies final : SyncReplySink {
    std::vector<std::string> all;
    std::string data;
    std::optional<Error> refuse;

    Result<void> note(std::string what) {
        all.push_back(std::move(what));
        if (refuse) return tl::unexpected(*refuse);
        return {};
    }
    static std::string of(const SyncStat& s) {
        return std::to_string(s.error) + " " + std::to_string(s.mode) + " " + std::to_string(s.size) + " " +
               std::to_string(s.mtime);
    }
    Result<void> on_stat(const SyncStat& s) override { return note("stat " + of(s)); }
    Result<void> on_entry(std::string_view name, const SyncStat& s) override {
        return note("entry " + std::string(name) + " " + of(s));
    }
    Result<void> on_data(ByteView piece) override {
        EXPECT_FALSE(piece.empty());
        data += as_text(piece);
        return {};
    }
    Result<void> on_done() override { return note("done"); }
    Result<void> on_okay() override { return note("okay"); }
    Result<void> on_fail(std::string message) override { return note("fail " + message); }
};

TEST(SyncRequests, ExactBytes) {
    SyncBytes out;
    append_sync_request(out, SyncId::lstat_v1, "/a");
    EXPECT_EQ(text(out), "STAT" + le(2) + "/a");
    out.clear();
    append_sync_send(out, false, "/a", 0100644, SyncCompression::none);
    EXPECT_EQ(text(out), "SEND" + le(8) + "/a,33188");
    out.clear();
    append_sync_send(out, true, "/a", 0100644, SyncCompression::zstd);
    EXPECT_EQ(text(out), "SND2" + le(2) + "/a" + "SND2" + le(33188) + le(4));
    out.clear();
    append_sync_recv(out, true, "/a", SyncCompression::lz4);
    EXPECT_EQ(text(out), "RCV2" + le(2) + "/a" + "RCV2" + le(2));
    out.clear();
    append_sync_data(out, as_bytes("xyz"));
    append_sync_done(out, 77);
    EXPECT_EQ(text(out), "DATA" + le(3) + "xyz" + "DONE" + le(77));
}

TEST(SyncFeaturesTest, CompressionNeedsSendRecv) {
    const auto all = SyncFeatures::of(Features::parse("stat_v2,ls_v2,sendrecv_v2,sendrecv_v2_lz4"));
    EXPECT_TRUE(all.stat_v2 && all.list_v2 && all.send_recv_v2 && all.lz4);
    EXPECT_FALSE(all.has(SyncCompression::zstd));
    EXPECT_FALSE(SyncFeatures::of(Features::parse("sendrecv_v2_lz4")).lz4);
    EXPECT_FALSE(all.has(static_cast<SyncCompression>(6)));
}

// All kinds of answers, one after the other.
SyncBytes many_answers(SyncReplyParser& parser) {
    SyncBytes in;
    parser.expect(Kind::stat_v1);
    append_sync_stat(in, SyncId::lstat_v1, {0, 0100644, 5, 9});
    parser.expect(Kind::stat_v2);
    append_sync_stat(in, SyncId::stat_v2, {13, 0, 0, 0});
    parser.expect(Kind::list_v1);
    append_sync_entry(in, false, "one", {0, 0100600, 1, 2});
    append_sync_list_end(in, false);
    parser.expect(Kind::list_v2);
    append_sync_entry(in, true, "two", {0, 0100600, std::uint64_t{5} << 32, 1'700'000'000});
    append_sync_list_end(in, true);
    parser.expect(Kind::recv);
    append_sync_data(in, as_bytes("hello "));
    append_sync_data(in, as_bytes("world"));
    append_sync_done(in, 0);
    parser.expect(Kind::recv);
    append_sync_fail(in, "open failed");
    parser.expect(Kind::send);
    parser.expect(Kind::send);
    append_sync_okay(in);
    append_sync_fail(in, "");
    return in;
}

TEST(SyncReplies, EverySplitGivesTheSame) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{7}, std::size_t{10'000}}) {
        SyncReplyParser parser;
        const SyncBytes in = many_answers(parser);
        NotedReplies noted;
        for (std::size_t at = 0; at < in.size(); at += step) {
            ASSERT_TRUE(parser.feed(ByteView(in).subspan(at, std::min(step, in.size() - at)), noted));
        }
        EXPECT_THAT(noted.all, ElementsAre("stat 0 33188 5 9", "stat 13 0 0 0", "entry one 0 33152 1 2", "done",
                                           "entry two 0 33152 21474836480 1700000000", "done", "done",
                                           "fail open failed", "okay", "fail "));
        EXPECT_EQ(noted.data, "hello world");
        EXPECT_TRUE(parser.idle());
    }
}

TEST(SyncReplies, Version1KnowsOnlyThatSomethingIsMissing) {
    SyncReplyParser parser;
    parser.expect(Kind::stat_v1);
    NotedReplies noted;
    ASSERT_TRUE(parser.feed(as_bytes("STAT" + std::string(12, '\0')), noted));
    EXPECT_THAT(noted.all, ElementsAre("stat 2 0 0 0"));
}

Error lie(Kind asked, const std::string& answer) {
    SyncReplyParser parser;
    parser.expect(asked);
    NotedReplies noted;
    const auto fed = parser.feed(as_bytes(answer), noted);
    if (fed) return Error(Code::ok, "it was believed");
    return fed.error();
}

TEST(SyncReplies, LiesAreErrors) {
    EXPECT_THAT(lie(Kind::recv, "DATA" + le(65'537)).message, HasSubstr("DATA of 65537 bytes"));
    EXPECT_THAT(lie(Kind::recv, "DATA" + le(0xFFFFFFFF)).message, HasSubstr("DATA of 4294967295 bytes"));
    EXPECT_THAT(lie(Kind::recv, "FAIL" + le(4097)).message, HasSubstr("FAIL with a text of 4097"));
    EXPECT_THAT(lie(Kind::recv, "OKAY" + le(0)).message, HasSubstr("answered OKAY"));
    EXPECT_THAT(lie(Kind::send, "DATA" + le(1) + "x").message, HasSubstr("answered DATA"));
    EXPECT_THAT(lie(Kind::stat_v2, "STAT" + std::string(12, '\1')).message, HasSubstr("answered STAT"));
    EXPECT_THAT(lie(Kind::list_v1, std::string("\1\2\3\4", 4) + le(0)).message, HasSubstr("0x04030201"));
    EXPECT_THAT(lie(Kind::list_v1, "DENT" + std::string(12, '\1') + le(256)).message, HasSubstr("name of 256 bytes"));
    EXPECT_THAT(lie(Kind::list_v1, "DENT" + std::string(12, '\1') + le(0)).message, HasSubstr("name of 0 bytes"));
    EXPECT_THAT(lie(Kind::list_v1, "DENT" + std::string(12, '\1') + le(4) + "a/..").message, HasSubstr("slash"));
    EXPECT_THAT(lie(Kind::list_v1, "DENT" + std::string(12, '\1') + le(2) + std::string("a\0", 2)).message,
                HasSubstr("NUL"));
}

TEST(SyncReplies, NothingMayComeUnasked) {
    SyncReplyParser parser;
    NotedReplies noted;
    const auto fed = parser.feed(as_bytes("OKAY" + le(0)), noted);
    ASSERT_FALSE(fed);
    EXPECT_THAT(fed.error().message, HasSubstr("OKAY unasked"));
}

TEST(SyncReplies, WhatTheSinkRefusesEndsIt) {
    SyncReplyParser parser;
    const SyncBytes in = many_answers(parser);
    NotedReplies noted;
    noted.refuse = Error(Code::local_file, "full");
    const auto fed = parser.feed(in, noted);
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().code, Code::local_file);
    EXPECT_EQ(noted.all.size(), 1u);
}

}  // namespace
}  // namespace drover::adb
