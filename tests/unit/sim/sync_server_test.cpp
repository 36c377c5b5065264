// The phone's end of the file service: nothing leads out of the phone's directory, and what adbd would say is said.
#include "sim/sync_server.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "support/temp_dir.hpp"

namespace drover::sim {
namespace {

using adb::SyncBytes;
using adb::SyncCompression;
using adb::SyncId;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string le(std::uint32_t value) {
    std::string out(4, '\0');
    store_le32(reinterpret_cast<std::uint8_t*>(out.data()), value);
    return out;
}

class SyncServerTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::filesystem::create_directories(dir / "phone/sdcard");
        dir.write("outside", "secret");
        restart();
    }
    void restart(std::string_view features = "stat_v2,ls_v2,sendrecv_v2,sendrecv_v2_lz4") {
        auto files = PhoneFiles::open((dir / "phone").string(), std::nullopt);
        ASSERT_TRUE(files) << files.error().message;
        server = std::make_unique<SyncServer>(std::move(*files), adb::SyncFeatures::of(adb::Features::parse(features)));
    }
    std::string ask(const SyncBytes& request, std::size_t room = 1 << 20) {
        SyncBytes out;
        server->work(request, out, room);
        return std::string(as_text(out));
    }
    SyncBytes send(const std::string& path, std::string_view text, std::uint32_t mode = 0100644) {
        SyncBytes out;
        adb::append_sync_send(out, false, path, mode, SyncCompression::none);
        if (!text.empty()) adb::append_sync_data(out, as_bytes(text));
        adb::append_sync_done(out, 1'000'000'000);
        return out;
    }
    std::string recv(const std::string& path) {
        SyncBytes out;
        adb::append_sync_recv(out, false, path, SyncCompression::none);
        return ask(out);
    }
    std::string stat(SyncId id, const std::string& path) {
        SyncBytes out;
        adb::append_sync_request(out, id, path);
        return ask(out);
    }

    test::TempDir dir;
    std::unique_ptr<SyncServer> server;
};

TEST_F(SyncServerTest, AFileIsPutWithItsFoldersModeAndTime) {
    EXPECT_EQ(ask(send("/sdcard/new/deep/a.txt", "hello", 0100750)), "OKAY" + le(0));
    const auto path = dir / "phone/sdcard/new/deep/a.txt";
    EXPECT_EQ(test::read_file(path), "hello");
    struct stat s {};
    ASSERT_EQ(::stat(path.c_str(), &s), 0);
    EXPECT_EQ(s.st_mode & 07777, 0777u) << "as adbd: the user's bits go to group and others too";
    EXPECT_EQ(s.st_mtime, 1'000'000'000);
    EXPECT_EQ(recv("sdcard/new/deep/a.txt"), "DATA" + le(5) + "hello" + "DONE" + le(0));
}

TEST_F(SyncServerTest, NothingLeadsOut) {
    std::filesystem::create_symlink(dir / "outside", dir / "phone/link");
    std::filesystem::create_symlink("../../..", dir / "phone/sdcard/up");
    EXPECT_THAT(recv("/link"), StartsWith("FAIL"));
    EXPECT_THAT(recv("/../outside"), StartsWith("FAIL"));
    EXPECT_THAT(recv("/sdcard/up/outside"), StartsWith("FAIL"));
    EXPECT_EQ(ask(send("/../../escaped", "x")), "OKAY" + le(0));
    EXPECT_TRUE(std::filesystem::exists(dir / "phone/escaped"));
    EXPECT_FALSE(std::filesystem::exists(dir / "escaped"));
    EXPECT_EQ(ask(send("/link", "x")), "OKAY" + le(0)) << "the link is replaced, not followed";
    EXPECT_EQ(test::read_file(dir / "outside"), "secret");
}

TEST_F(SyncServerTest, ALinkIsMade) {
    SyncBytes request = send("/sdcard/l", "../a target", 0120777);
    EXPECT_EQ(ask(request), "OKAY" + le(0));
    EXPECT_EQ(std::filesystem::read_symlink(dir / "phone/sdcard/l"), "../a target");
}

TEST_F(SyncServerTest, StatsOfBothVersions) {
    ask(send("/f", "12345"));
    EXPECT_EQ(stat(SyncId::lstat_v1, "/f"), "STAT" + le(0100666) + le(5) + le(1'000'000'000));
    EXPECT_EQ(stat(SyncId::lstat_v1, "/none"), "STAT" + le(0) + le(0) + le(0));
    EXPECT_EQ(stat(SyncId::stat_v2, "/none").substr(0, 8), "STA2" + le(2));
    std::filesystem::create_symlink("f", dir / "phone/l");
    EXPECT_EQ(stat(SyncId::lstat_v2, "/l").substr(24, 4), le(0120777));
    EXPECT_EQ(stat(SyncId::stat_v2, "/l").substr(24, 4), le(0100666));
}

TEST_F(SyncServerTest, ListsEndWithAWholeDone) {
    ask(send("/d/one", "1"));
    SyncBytes request;
    adb::append_sync_request(request, SyncId::list_v1, "/d");
    const std::string v1 = ask(request);
    EXPECT_THAT(v1, HasSubstr(le(3) + "one"));
    EXPECT_EQ(v1.substr(v1.size() - 20), "DONE" + std::string(16, '\0'));
    request.clear();
    adb::append_sync_request(request, SyncId::list_v2, "/none");
    EXPECT_EQ(ask(request), "DONE" + std::string(72, '\0'));
}

TEST_F(SyncServerTest, AFailureSwallowsTheRestOfTheFile) {
    std::filesystem::create_directories(dir / "phone/d/full");
    SyncBytes request = send("/d", "not a file");
    const SyncBytes next = send("/after", "x");
    request.insert(request.end(), next.begin(), next.end());
    const std::string answer = ask(request);
    EXPECT_THAT(answer, StartsWith("FAIL"));
    EXPECT_THAT(answer, HasSubstr("couldn't create file: Is a directory"));
    EXPECT_THAT(answer, ::testing::EndsWith("OKAY" + le(0)));
}

TEST_F(SyncServerTest, APartIsRemovedWithItsConnection) {
    SyncBytes request;
    adb::append_sync_send(request, false, "/part", 0100644, SyncCompression::none);
    adb::append_sync_data(request, as_bytes("half"));
    EXPECT_EQ(ask(request), "");
    EXPECT_TRUE(std::filesystem::exists(dir / "phone/part"));
    server.reset();
    EXPECT_FALSE(std::filesystem::exists(dir / "phone/part"));
}

TEST_F(SyncServerTest, ItStopsForWantOfRoomAndGoesOn) {
    ask(send("/big", std::string(60'000, 'b')));
    SyncBytes request;
    for (int i = 0; i < 3; ++i) adb::append_sync_recv(request, false, "/big", SyncCompression::none);
    std::string answer = ask(request, 1000);
    EXPECT_TRUE(server->more());
    while (server->more()) answer += ask({}, 1000);
    EXPECT_EQ(answer.size(), 3u * (8 + 60'000 + 8));
}

TEST_F(SyncServerTest, WhatThePhoneDoesNotKnowEndsTheService) {
    restart("");
    EXPECT_THAT(stat(SyncId::stat_v2, "/f"), HasSubstr("unknown command"));
    EXPECT_TRUE(server->ended());
    restart();
    SyncBytes request;
    adb::append_sync_recv(request, true, "/f", SyncCompression::zstd);
    EXPECT_THAT(ask(request), HasSubstr("unknown recv flags"));
    restart();
    EXPECT_THAT(ask(SyncBytes{'S', 'T', 'A', 'T', 1, 4, 0, 0}), HasSubstr("path too long"));
    restart();
    request.clear();
    adb::append_sync_send(request, false, "/f", 0100644, SyncCompression::none);
    request.insert(request.end(), {'D', 'A', 'T', 'A', 1, 0, 1, 0});
    EXPECT_THAT(ask(request), HasSubstr("oversize data message"));
}

}  // namespace
}  // namespace drover::sim
