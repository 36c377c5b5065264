// The marker against the shell phones have: hostile commands in a real mksh, with and without a pty.
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "adb/shell.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace drover::adb {
namespace {

constexpr const char* kMksh = "/bin/mksh";

struct HostileCommand {
    std::string command;
    std::optional<int> code;
    std::optional<std::string> out;  // none: not looked at (the shell's own complaints)
};

std::vector<HostileCommand> hostile_commands() {
    return {
        {"true", 0, ""},
        {"echo hi", 0, "hi\n"},
        {"printf 'no newline'", 0, "no newline"},
        {"exit 3", 3, ""},
        {"echo a; exit 255", 255, "a\n"},
        {"false # a comment", 1, ""},
        {"# only a comment", 0, ""},
        {"echo x #", 0, "x\n"},
        {"exec false", 1, ""},
        {"(exit 4)", 4, ""},
        {"exit 5;", 5, ""},
        {"echo \"it's\" 'a \"quote\"'", 0, "it's a \"quote\"\n"},
        {"echo \\", 0, "\n"},
        {"echo a\nexit 6\n", 6, "a\n"},
        {"cat <<E\nhere $((1+1))\nE\nexit 7", 7, "here 2\n"},
        {"set -e; false; echo never", 1, ""},
        {"trap 'echo bye' EXIT; exit 8", 8, "bye\n"},
        {"alias echo=false; function echo { exit 9; }; exit 2", 2, std::nullopt},
        {"exec 1>&-; exit 10", 10, ""},
        {"exec >/dev/null; echo lost; exit 11", 11, ""},
        {"return 12", 12, ""},
        {"kill -9 $$", 137, std::nullopt},
        {"kill $$", 143, std::nullopt},
        {"PATH=; exit 13", 13, ""},
        {"cd /; unset PATH HOME; exit 14", 14, ""},
        {"echo $?", 0, "0\n"},
        {"echo $0", 0, "sh\n"},
        {"echo \xff\xfe", 0, "\xff\xfe\n"},
        {"no_such_command_here", 127, std::nullopt},
        {"echo 'open", 1, std::nullopt},
        {"echo \"open", 1, std::nullopt},
        {"echo `open", 1, std::nullopt},
        {"echo $(open", 1, std::nullopt},
        {"if true; then", 1, std::nullopt},
        {")", 1, std::nullopt},
        {"'", 1, std::nullopt},
        {"'; exit 20; '", 127, std::nullopt},  // a word of its own, never a way out of the quotes
        {"cat <<E\nnever closed", std::nullopt, std::nullopt},
    };
}

std::string no_cr(std::string text) {
    std::erase(text, '\r');
    return text;
}

struct MkshSink final : ShellOutputSink {
    std::string out;
    void on_shell_bytes(OutputStream, ByteView bytes) override { out += as_text(bytes); }
};

std::pair<std::optional<int>, std::string> parse_output(const std::string& raw, const std::string& marker) {
    MkshSink sink;
    MarkerTail tail(marker);
    tail.feed(as_bytes(raw), sink);
    const auto code = tail.finish(sink);
    return {code, sink.out};
}

class Mksh : public testing::Test {
protected:
    void SetUp() override {
        if (!std::filesystem::exists(kMksh)) GTEST_SKIP() << "needs mksh, the shell of Android";
        std::filesystem::create_symlink(kMksh, bin_ / "sh");
    }
    std::string path() const { return bin_.path().string() + ":/usr/bin:/bin"; }

    std::string through_pipe(const std::string& line) const {
        drover::test::ProcessOptions options;
        options.argv = {kMksh, "-c", line};
        options.env = {{"PATH", path()}, {"ENV", std::nullopt}};
        return drover::test::run(std::move(options)).out;
    }

    // As an old daemon runs it: on a terminal, which makes \r\n of \n and merges stderr into stdout.
    std::string through_pty(const std::string& line) const {
        const std::string path_setting = "PATH=" + path();
        int master = -1;
        const pid_t pid = forkpty(&master, nullptr, nullptr, nullptr);
        if (pid == 0) {
            const char* argv[] = {kMksh, "-c", line.c_str(), nullptr};
            const char* envp[] = {path_setting.c_str(), nullptr};
            execve(kMksh, const_cast<char**>(argv), const_cast<char**>(envp));
            _exit(126);
        }
        std::string all;
        char buffer[4096];
        ssize_t n = 0;
        while ((n = read(master, buffer, sizeof buffer)) > 0) all.append(buffer, static_cast<std::size_t>(n));
        close(master);
        waitpid(pid, nullptr, 0);
        return all;
    }

    drover::test::TempDir bin_;
};

TEST_F(Mksh, TheCodeOfHostileCommands) {
    for (const auto& c : hostile_commands()) {
        const auto marked = mark_command(c.command, random_marker());
        for (const bool pty : {false, true}) {
            const auto raw = pty ? through_pty(marked.line) : through_pipe(marked.line);
            const auto [code, out] = parse_output(raw, marked.marker);
            ASSERT_TRUE(code) << c.command << " pty=" << pty << " gave: " << raw;
            if (c.code) {
                EXPECT_EQ(*code, *c.code) << c.command << " pty=" << pty;
            }
            if (c.out) {
                EXPECT_EQ(no_cr(out), *c.out) << c.command << " pty=" << pty;
            }
        }
    }
}

TEST_F(Mksh, AJobLeftInTheBackground) {
    for (const std::string command : {"exit 3 & echo a", "echo late &", "sleep 0 &", "{ echo b; } & true &"}) {
        const auto marked = mark_command(command, random_marker());
        const auto [code, out] = parse_output(through_pipe(marked.line), marked.marker);
        EXPECT_EQ(code, std::optional<int>(0)) << command;
        if (command.starts_with("echo late")) {
            // The shell does not wait for it: it may come before the end of the output, or not at all, never as the marker.
            EXPECT_TRUE(out.empty() || out == "late\n") << out;
        }
    }
}

TEST_F(Mksh, AListingOfProcessesIsNotTheMarker) {
    const auto marked = mark_command("tr '\\0' ' ' </proc/$PPID/cmdline; exit 5", random_marker());
    const auto [code, out] = parse_output(through_pipe(marked.line), marked.marker);
    EXPECT_EQ(code, std::optional<int>(5));
    EXPECT_NE(out.find("echo " + marked.marker.substr(0, kMarkerChars / 2)), std::string::npos) << out;
}

}  // namespace
}  // namespace drover::adb
