// Shell requests, the framing of output, scripted commands: pure parts.
#include <gmock/gmock.h>

#include "sim/scripted.hpp"
#include "sim/shell_output.hpp"
#include "sim/shell_request.hpp"

namespace drover::sim {
namespace {

using ::testing::ElementsAre;

ShellRequest request(std::string_view name, const Profile& profile = modern_profile()) {
    auto r = parse_shell_request(name, profile);
    EXPECT_TRUE(r) << name;
    return r.value_or(ShellRequest{});
}

TEST(ShellRequest, OptionsStandBetweenCommas) {
    const auto r = request("shell,v2,TERM=xterm,raw:echo a:b");
    EXPECT_TRUE(r.v2);
    EXPECT_FALSE(r.pty);
    EXPECT_EQ(r.term, "xterm");
    EXPECT_EQ(r.command, "echo a:b");
}

TEST(ShellRequest, PlainShellsHaveNoProtocol) {
    EXPECT_FALSE(request("shell:ls").v2);
    EXPECT_FALSE(request("exec:ls").v2);
    EXPECT_EQ(request("exec:ls").command, "ls");
}

TEST(ShellRequest, NothingToRunMeansATerminalUnlessRawIsAsked) {
    EXPECT_TRUE(request("shell,v2:").pty);
    EXPECT_TRUE(request("shell:").pty);
    EXPECT_FALSE(request("shell,v2,raw:").pty);
    EXPECT_TRUE(request("shell,v2,pty:ls").pty);
}

TEST(ShellRequest, OthersAreNoShells) {
    for (const char* name : {"shell", "shellx:ls", "sync:", "tcp:5555", "", "shell,v9:ls", "exec,v2:ls"}) {
        EXPECT_FALSE(parse_shell_request(name, modern_profile())) << name;
    }
}

TEST(ShellRequest, AnOldPhoneKnowsThePlainShellOnly) {
    EXPECT_FALSE(request("shell:ls", old_profile()).v2);
    for (const char* name : {"shell,v2:ls", "shell,raw:ls", "exec:ls"})
        EXPECT_FALSE(parse_shell_request(name, old_profile())) << name;
}

TEST(ShellRequest, ShellV2NeedsTheFeature) {
    Profile p = modern_profile();
    std::erase(p.features, "shell_v2");
    EXPECT_FALSE(parse_shell_request("shell,v2,raw:ls", p));
    EXPECT_TRUE(parse_shell_request("shell,raw:ls", p));
}

struct NotedPort final : Port {
    bool can_write() const override { return open && credits > 0; }
    std::size_t write_max() const override { return max; }
    void write(ByteView bytes) override {
        --credits;
        writes.emplace_back(as_text(bytes));
    }
    void taken(std::size_t) override {}
    void flush() override { ++flushes; }
    void close() override { open = false; }
    int credits = 1000;
    std::size_t max = 1 << 20;
    std::vector<std::string> writes;
    int flushes = 0;
    bool open = true;
};

std::string text(std::initializer_list<int> bytes) {
    std::string s;
    for (const int b : bytes) s.push_back(static_cast<char>(b));
    return s;
}

TEST(ShellOutput, FramesOutErrAndExitAndCloses) {
    NotedPort port;
    ShellOutput output(port, {}, {});
    output.add(ShellId::out, as_bytes("hi"));
    EXPECT_TRUE(output.pump());
    output.add(ShellId::err, as_bytes("!"));
    output.finish(7);
    EXPECT_FALSE(output.pump());
    EXPECT_THAT(port.writes,
                ElementsAre(text({1, 2, 0, 0, 0, 'h', 'i'}), text({2, 1, 0, 0, 0, '!', 3, 1, 0, 0, 0, 7})));
    EXPECT_FALSE(port.open);
}

TEST(ShellOutput, WithoutProtocolThereIsNoFrameAndNoExitCode) {
    NotedPort port;
    ShellOutput output(port, {.v2 = false}, {});
    output.add(ShellId::out, as_bytes("a\nb\n"));
    output.finish(7);
    EXPECT_FALSE(output.pump());
    EXPECT_THAT(port.writes, ElementsAre("a\nb\n"));
}

TEST(ShellOutput, OldTerminalsTurnLfIntoCrLf) {
    NotedPort port;
    ShellOutput output(port, {.v2 = false, .crlf = true}, {});
    output.add(ShellId::out, as_bytes("a\n\n"));
    output.finish(0);
    output.pump();
    EXPECT_THAT(port.writes, ElementsAre("a\r\n\r\n"));
}

TEST(ShellOutput, APayloadIsNeverLongerThanTheClientTakes) {
    NotedPort port;
    port.max = 4;
    ShellOutput output(port, {.v2 = false}, {});
    output.add(ShellId::out, as_bytes("0123456789"));
    output.finish(0);
    output.pump();
    EXPECT_THAT(port.writes, ElementsAre("0123", "4567", "89"));
}

TEST(ShellOutput, WhatWaitsIsBounded) {
    NotedPort port;
    port.credits = 0;
    ShellOutput output(port, {}, {});
    std::size_t total = 0;
    while (output.room() > 0) {
        const std::string more(std::min<std::size_t>(output.room(), 1000), 'x');
        output.add(ShellId::out, as_bytes(more));
        total += more.size();
    }
    EXPECT_LE(total, ShellOutput::kPendingBytesMax);
    port.credits = 1;
    EXPECT_TRUE(output.pump());
    EXPECT_GT(output.room(), 0u);
}

TEST(ShellOutput, TheExitCodeWaitsForTheClientLikeAllElse) {
    NotedPort port;
    port.credits = 0;
    ShellOutput output(port, {}, {});
    output.finish(0);
    EXPECT_TRUE(output.pump());
    EXPECT_TRUE(port.open);
    port.credits = 1;
    EXPECT_FALSE(output.pump());
    EXPECT_FALSE(port.open);
}

TEST(ShellOutput, CommandFaultsChangeTheEnd) {
    NotedPort port;
    CommandFaults faults;
    faults.no_exit_code = true;
    faults.extra_output_bytes = 200'000;
    ShellOutput output(port, {}, faults);
    output.finish(0);
    EXPECT_FALSE(output.pump());
    std::size_t bytes = 0;
    for (const auto& w : port.writes) bytes += w.size() - ShellOutput::kShellHeaderBytes;
    EXPECT_EQ(bytes, 200'000u);

    NotedPort second;
    CommandFaults other;
    other.exit_code = 9;
    ShellOutput replaced(second, {}, other);
    replaced.finish(0);
    replaced.pump();
    EXPECT_THAT(second.writes, ElementsAre(text({3, 1, 0, 0, 0, 9})));
}

TEST(ShellOutput, SeparateWritesFlushBeforeTheClose) {
    NotedPort port;
    ShellOutput output(port, {.separate_writes = true}, {});
    output.finish(0);
    output.pump();
    EXPECT_EQ(port.flushes, 1);
}

TEST(Pattern, IsTheSameHoweverItIsCut) {
    std::vector<std::uint8_t> whole(1000);
    fill_pattern(0, whole);
    EXPECT_EQ(as_text(ByteView(whole)).substr(64, 13), "000000000001 ");
    EXPECT_EQ(whole[63], '\n');
    for (std::size_t at = 0; at < whole.size(); at += 7) {
        std::vector<std::uint8_t> piece(std::min<std::size_t>(7, whole.size() - at));
        fill_pattern(at, piece);
        EXPECT_TRUE(std::equal(piece.begin(), piece.end(), whole.begin() + static_cast<std::ptrdiff_t>(at)));
    }
}

std::optional<Scripted> script(std::string_view command) {
    return parse_scripted(
        command, [](std::string_view name) -> std::optional<std::string> { return name == "a.b" ? "value" : ""; });
}

TEST(Scripted, WholePlainCommands) {
    EXPECT_EQ(script("true")->exit_code, 0);
    EXPECT_EQ(script("false")->exit_code, 1);
    EXPECT_EQ(script("exit 42")->exit_code, 42);
    EXPECT_EQ(script("echo  hello   world ")->text, "hello world\n");
    EXPECT_EQ(script("echo")->text, "\n");
    EXPECT_EQ(script("getprop a.b")->text, "value\n");
    EXPECT_EQ(script("getprop c.d")->text, "\n");
    EXPECT_EQ(script("getprop c.d fallback")->text, "fallback\n");
    EXPECT_EQ(script("sleep 2")->delay, Millis(2000));
    EXPECT_EQ(script("sim-output 100")->pattern_bytes, 100u);
    EXPECT_EQ(script("sim-output 100 10")->bytes_per_second, 10u);
}

TEST(Scripted, AnythingAShellWouldLookAtGoesToTheShell) {
    for (const char* command :
         {"true;",      "true & ",   "echo $HOME", "echo `id`",    "echo a|cat",    "echo 'a'",         "echo \"a\"",
          "echo a>b",   "echo *",    "echo a?",    "echo [a]",     "echo ~",        "echo {a,b}",       "echo a\\b",
          "echo a\nid", "echo a\tb", "echo #a",    "echo !a",      "echo (a)",      "x=1 true",         "echo -n a",
          "echo -e a",  "true 1",    "exit",       "exit 256",     "exit -1",       "getprop",          "getprop a b c",
          "sleep",      "sleep 1.5", "sleep x",    "sim-output",   "sim-output -1", "sim-output 1 2 3", "/bin/true",
          "ls",         "",          "  ",         "echo \xc3\xa9"}) {
        EXPECT_FALSE(script(command)) << command;
    }
}

}  // namespace
}  // namespace drover::sim
