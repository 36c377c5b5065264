// Commands in a real shell: what comes back, what holds them back, what ends them.
#include <signal.h>

#include <array>
#include <thread>

#include "unit/sim/fleet_fixture.hpp"

namespace drover::test {
namespace {

using adb::Command;
using ::testing::HasSubstr;

class CommandTest : public ::testing::Test {
protected:
    void SetUp() override {
        fleet = start_fleet();
        ASSERT_TRUE(fleet);
        NEEDS_REAL_SHELL(fleet);
        client = std::make_unique<PhoneClient>(fleet->address(0));
        ASSERT_TRUE(client->hello());
    }
    std::unique_ptr<sim::Fleet> fleet;
    std::unique_ptr<PhoneClient> client;
};

// Whether the process is gone, or a zombie that nobody has waited for yet.
bool gone(pid_t pid) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
    std::FILE* file = std::fopen(path, "r");
    if (file == nullptr) return true;
    std::array<char, 512> text{};
    const std::size_t n = std::fread(text.data(), 1, text.size() - 1, file);
    std::fclose(file);
    const std::string_view stat(text.data(), n);
    const auto name_end = stat.rfind(')');
    return name_end == std::string_view::npos || stat.substr(name_end + 2, 1) == "Z";
}

bool wait_until_gone(pid_t pid) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!gone(pid)) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::yield();
    }
    return true;
}

TEST_F(CommandTest, StdoutStderrAndExitCodeStayApart) {
    const auto ran = client->run("echo out; echo err >&2; exit 7");
    EXPECT_EQ(ran.out, "out\n");
    EXPECT_EQ(ran.err, "err\n");
    EXPECT_EQ(ran.exit_code, 7);
}

TEST_F(CommandTest, DeathBySignalIs128PlusItsNumber) { EXPECT_EQ(client->run("kill -9 $$").exit_code, 0x89); }

TEST_F(CommandTest, PipesAndToyboxWork) {
    EXPECT_EQ(client->run("seq 1 100 | grep 5 | wc -l | sed 's/ //g'").out, "19\n");
}

TEST_F(CommandTest, TheShellIsMksh) { EXPECT_THAT(client->run("echo \"$KSH_VERSION\"").out, HasSubstr("MIRBSD KSH")); }

TEST_F(CommandTest, StdinIsFedAndEnded) {
    const auto stream = client->open("shell,v2,raw:cat; exit 6");
    ASSERT_NE(stream.theirs, 0u);
    client->send(Command::wrte, stream.ours, stream.theirs, std::string("\0\5\0\0\0hello", 10));
    client->send(Command::wrte, stream.ours, stream.theirs, std::string("\4\0\0\0\0", 5));
    const auto ran = client->finish(stream);
    EXPECT_EQ(ran.out, "hello");
    EXPECT_EQ(ran.exit_code, 6);
}

TEST_F(CommandTest, AnExitPacketFromTheClientIsNotTheEndOfStdin) {
    const auto stream = client->open("shell,v2,raw:cat; exit 6");
    // exit (id 3) with its one byte, then more stdin (id 0), then the true end (id 4).
    client->send(Command::wrte, stream.ours, stream.theirs,
                 std::string("\3\1\0\0\0\0", 6) + std::string("\0\2\0\0\0hi", 7) + std::string("\4\0\0\0\0", 5));
    const auto ran = client->finish(stream);
    EXPECT_EQ(ran.out, "hi");
    EXPECT_EQ(ran.exit_code, 6);
}

TEST_F(CommandTest, ALotOfStdinComesThroughWhole) {
    const auto stream = client->open("shell,v2,raw:sleep 0.1; wc -c | sed 's/ //g'");
    std::string data(300'000, 'x');
    std::string framed(5, '\0');
    store_le32(reinterpret_cast<std::uint8_t*>(framed.data()) + 1, static_cast<std::uint32_t>(data.size()));
    client->send(Command::wrte, stream.ours, stream.theirs, framed + data);
    // The phone acknowledges when the command has taken it.
    const auto okay = client->receive();
    ASSERT_TRUE(okay);
    EXPECT_EQ(okay->name, "OKAY");
    client->send(Command::wrte, stream.ours, stream.theirs, std::string("\4\0\0\0\0", 5));
    EXPECT_EQ(client->finish(stream).out, "300000\n");
}

TEST_F(CommandTest, WithoutProtocolThereIsOnlyText) {
    const auto stream = client->open("shell:echo out; echo err >&2; exit 7");
    const auto p = client->receive();
    ASSERT_TRUE(p);
    std::string text = p->payload;
    client->send(Command::okay, stream.ours, stream.theirs);
    for (auto more = client->receive(); more && more->name == "WRTE"; more = client->receive()) {
        text += more->payload;
        client->send(Command::okay, stream.ours, stream.theirs);
    }
    EXPECT_EQ(text, "out\nerr\n");
}

TEST_F(CommandTest, ATerminalTurnsLfIntoCrLf) {
    const auto ran = client->finish(client->open("shell,v2,pty,TERM=vt100:echo $TERM; echo e >&2; [ -t 0 ] && exit 3"));
    EXPECT_EQ(ran.out, "vt100\r\ne\r\n");
    EXPECT_EQ(ran.err, "");
    EXPECT_EQ(ran.exit_code, 3);
}

TEST_F(CommandTest, ASlowClientHoldsTheCommandBack) {
    const auto stream = client->open("shell,v2,raw:yes | head -c 1000000; echo done >&2");
    const auto first = client->receive();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->name, "WRTE");
    EXPECT_FALSE(client->receive(200)) << "a second WRTE came before the first was acknowledged";
    client->send(Command::okay, stream.ours, stream.theirs);
    const auto ran = client->finish(stream);
    EXPECT_EQ(ran.err, "done\n");
    EXPECT_EQ(ran.exit_code, 0);
    EXPECT_GT(ran.out.size() + first->payload.size(), 999'000u);
}

TEST_F(CommandTest, TheClientsCloseKillsTheCommandAndItsChildren) {
    const auto stream = client->open("shell,v2,raw:sleep 1000 & echo $! $$; wait");
    const auto p = client->receive();
    ASSERT_TRUE(p);
    client->send(Command::okay, stream.ours, stream.theirs);
    pid_t child = 0, shell = 0;
    ASSERT_EQ(std::sscanf(p->payload.c_str() + 5, "%d %d", &child, &shell), 2);
    EXPECT_FALSE(gone(child));
    client->send(Command::clse, stream.ours, stream.theirs);
    EXPECT_EQ(client->receive()->name, "CLSE");
    EXPECT_TRUE(wait_until_gone(child));
    EXPECT_TRUE(wait_until_gone(shell));
}

TEST_F(CommandTest, JobControlDoesNotLetAChildEscape) {
    const auto stream = client->open("shell,v2,raw:set -m; sleep 1000 & echo $!; wait");
    std::string text;
    while (text.find('\n') == std::string::npos) {
        const auto p = client->receive();
        ASSERT_TRUE(p);
        if (p->payload.size() > 5 && p->payload[0] == 1) text = p->payload.substr(5);
        client->send(Command::okay, stream.ours, stream.theirs);
    }
    const pid_t child = std::stoi(text);
    client->send(Command::clse, stream.ours, stream.theirs);
    EXPECT_TRUE(wait_until_gone(child));
}

TEST_F(CommandTest, ALostConnectionKillsItsCommands) {
    const auto stream = client->open("shell,v2,raw:echo $$; exec sleep 1000");
    const auto p = client->receive();
    ASSERT_TRUE(p);
    const pid_t pid = std::stoi(p->payload.substr(5));
    EXPECT_FALSE(gone(pid));
    EXPECT_NE(stream.theirs, 0u);
    client->hang_up();
    EXPECT_TRUE(wait_until_gone(pid));
}

TEST_F(CommandTest, WhatACommandLeavesInTheBackgroundEndsWithIt) {
    const auto ran = client->run("sleep 1000 >/dev/null 2>&1 & echo $!");
    EXPECT_EQ(ran.exit_code, 0);
    EXPECT_TRUE(wait_until_gone(std::stoi(ran.out)));
}

TEST_F(CommandTest, TheEndOfTheFleetEndsItsCommandsAndItsDirectory) {
    client->open("shell,v2,raw:echo $$ $VPHONE; exec sleep 1000");
    const auto p = client->receive();
    ASSERT_TRUE(p);
    pid_t pid = 0;
    std::array<char, 256> directory{};
    ASSERT_EQ(std::sscanf(p->payload.c_str() + 5, "%d %255s", &pid, directory.data()), 2);
    EXPECT_EQ(::access(directory.data(), F_OK), 0);
    fleet.reset();
    EXPECT_TRUE(wait_until_gone(pid));
    EXPECT_NE(::access(directory.data(), F_OK), 0);
}

TEST_F(CommandTest, ManyCommandsAtOnceOnOneConnection) {
    std::vector<PhoneClient::Stream> streams;
    for (int i = 0; i < 20; ++i) streams.push_back(client->open("shell,v2,raw:read x; exit $x"));
    for (std::size_t i = 0; i < streams.size(); ++i) {
        std::string line = std::to_string(i + 1) + "\n";
        std::string framed(5, '\0');
        framed[1] = static_cast<char>(line.size());
        client->send(Command::wrte, streams[i].ours, streams[i].theirs, framed + line);
        EXPECT_EQ(client->finish(streams[i]).exit_code, static_cast<int>(i + 1));
    }
}

TEST_F(CommandTest, PhonesAreSeparate) {
    auto two = start_fleet(2);
    PhoneClient a(two->address(0)), b(two->address(1));
    ASSERT_TRUE(a.hello() && b.hello());
    EXPECT_EQ(a.run("setprop x.y one; echo mine > sdcard/f; cat sdcard/f").out, "mine\n");
    EXPECT_EQ(b.run("getprop x.y; ls sdcard").out, "\n");
    EXPECT_EQ(b.run("echo $HOSTNAME").out, "vphone-0002\n");
}

}  // namespace
}  // namespace drover::test
