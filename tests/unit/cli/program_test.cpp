#include <gtest/gtest.h>

#include "cli/command.hpp"

namespace drover::cli {
namespace {

// A program with one subcommand that takes everything, and one that takes nothing.
class ProgramTest : public testing::Test {
protected:
    ProgramTest() : program_(context_) {
        auto& all = program_.add("all", "takes everything");
        all.flag("--flag", flag_, "a flag");
        all.number("--count", "N", count_, "a number", 1, 10);
        all.duration("--timeout", timeout_, "a time");
        all.text("--on", "SELECTOR", on_, "a text");
        all.words("COMMAND...", words_, "words");
        all.writes_reports();
        all.action([] { return 42; });
        auto& file = program_.add("file", "takes a file");
        file.positional("FILE", file_, "a file", Need::required);
        file.action([] { return 43; });
        auto& job = program_.add("job", "takes a file and writes reports");
        job.positional("FILE", file_, "a file", Need::required);
        job.writes_reports();
        job.action([] { return 44; });
        auto& files = program_.add("files", "takes files");
        files.positionals("FILE", words_, "the files");
        files.action([] { return 45; });
    }

    int run(std::vector<const char*> args) {
        args.insert(args.begin(), "drover");
        testing::internal::CaptureStderr();
        testing::internal::CaptureStdout();
        const int code = program_.run(static_cast<int>(args.size()), args.data());
        err_ = testing::internal::GetCapturedStderr();
        out_ = testing::internal::GetCapturedStdout();
        return code;
    }
    void expect_usage_error(std::vector<const char*> args, const std::string& message) {
        EXPECT_EQ(run(std::move(args)), 2);
        EXPECT_EQ(err_, message + "\n");
        EXPECT_EQ(out_, "");
    }

    Context context_;
    Program program_;
    bool flag_ = false;
    std::uint64_t count_ = 0;
    std::chrono::milliseconds timeout_{0};
    std::optional<std::string> on_;
    std::vector<std::string> words_;
    std::string file_, err_, out_;
};

TEST_F(ProgramTest, GlobalOptionsMayStandBeforeAndAfterTheSubcommand) {
    EXPECT_EQ(run({"--inventory", "i.yaml", "all", "--json", "-v", "--count=3", "--on", "a,b", "--timeout", "1.5s"}),
              42);
    EXPECT_EQ(context_.inventory, "i.yaml");
    EXPECT_EQ(context_.output, OutputMode::json);
    EXPECT_TRUE(context_.verbose);
    EXPECT_EQ(count_, 3u);
    EXPECT_EQ(on_, "a,b");
    EXPECT_EQ(timeout_, std::chrono::milliseconds(1'500));
    EXPECT_TRUE(words_.empty());
}

TEST_F(ProgramTest, WordsAfterTheDashesAreNeverOptions) {
    EXPECT_EQ(run({"all", "--flag", "--", "ls", "--count", "-v", "--", "all"}), 42);
    EXPECT_EQ(words_, (std::vector<std::string>{"ls", "--count", "-v", "--", "all"}));
    EXPECT_TRUE(flag_);
    EXPECT_EQ(count_, 0u);
    EXPECT_FALSE(context_.verbose);
}

TEST_F(ProgramTest, FilesAfterTheDashesMayBeginWithOne) {
    EXPECT_EQ(run({"files", "a", "-v", "--", "-v", "b"}), 45);
    EXPECT_EQ(words_, (std::vector<std::string>{"a", "-v", "b"}));
    EXPECT_TRUE(context_.verbose);
    words_.clear();
    EXPECT_EQ(run({"files", "--", "--json"}), 45);
    EXPECT_EQ(words_, (std::vector<std::string>{"--json"}));
    EXPECT_EQ(context_.output, OutputMode::automatic);
    words_.clear();
    expect_usage_error({"files"}, "drover files: FILE is required; see drover files --help");
    expect_usage_error({"files", "--"}, "drover files: FILE is required; see drover files --help");
}

TEST_F(ProgramTest, ReportsMayBeSeveral) {
    EXPECT_EQ(run({"all", "--report", "json=a=b", "--report=junit=c"}), 42);
    ASSERT_EQ(context_.reports.size(), 2u);
    EXPECT_EQ(context_.reports[0].path, "a=b");
    EXPECT_EQ(context_.reports[1].kind, ReportFile::Kind::junit);
}

TEST_F(ProgramTest, AReportTakesOneValueAndLeavesTheNextWordAlone) {
    EXPECT_EQ(run({"job", "--report", "json=a", "--report", "junit=b", "f.yaml"}), 44) << err_;
    EXPECT_EQ(file_, "f.yaml");
    EXPECT_EQ(context_.reports.size(), 2u);
    EXPECT_EQ(run({"--report", "json=c", "job", "g.yaml"}), 44) << err_;
    EXPECT_EQ(file_, "g.yaml");
}

TEST_F(ProgramTest, AReportIsRefusedByCommandsThatWriteNone) {
    expect_usage_error({"file", "--report", "json=a", "f"},
                       "drover file: --report: this command has no rows to report; exec and run have");
}

TEST_F(ProgramTest, EveryMistakeIsOneLineThatNamesTheNearest) {
    expect_usage_error({"al", "--", "x"}, "drover: there is no command 'al' (did you mean 'all'?); see drover --help");
    expect_usage_error({}, "drover: which command? see drover --help");
    expect_usage_error({"--jsn"}, "drover: there is no option --jsn (did you mean '--json'?)");
    expect_usage_error({"all", "--timeot", "5s"},
                       "drover all: there is no option --timeot (did you mean '--timeout'?)");
    expect_usage_error({"all", "--outputt=json"},
                       "drover all: there is no option --outputt (did you mean '--output'?)");
    expect_usage_error({"all", "ls"}, "drover all: put the command after --, as in: drover all -- ls");
    expect_usage_error({"file", "a", "b"}, "drover file: 'b' is one word too many");
    expect_usage_error({"file", "a", "--", "b"}, "drover file: takes nothing after --");
}

TEST_F(ProgramTest, WrongValuesAreToldWithWhatToWrite) {
    expect_usage_error({"all", "--count", "11"}, "drover all: --count: '11' is not a whole number from 1 to 10");
    expect_usage_error({"all", "--count", "-1"}, "drover all: --count: '-1' is not a whole number from 1 to 10");
    expect_usage_error({"all", "--count", "99999999999999999999"},
                       "drover all: --count: '99999999999999999999' is not a whole number from 1 to 10");
    expect_usage_error({"all", "--output", "jsn"},
                       "drover all: --output: 'jsn' is none of fold, lines, json, jsonl (did you mean 'json'?)");
    expect_usage_error({"all", "--report", "xml=f"},
                       "drover all: --report: 'xml=f' is none of json=FILE, junit=FILE, junit-steps=FILE, html=FILE");
    EXPECT_EQ(run({"all", "--timeout", "5"}), 2);
    EXPECT_TRUE(err_.starts_with("drover all: --timeout: ")) << err_;
    expect_usage_error({"all", "--on"}, "drover all: --on: the SELECTOR is missing");
    expect_usage_error({"all", "--on", "a", "--on", "b"}, "drover all: --on: is given more than once");
    EXPECT_EQ(run({"file"}), 2);
    EXPECT_TRUE(err_.starts_with("drover file: FILE is required")) << err_;
}

TEST_F(ProgramTest, AConfigurationIsRefusedByCommandsThatDoNotUseOne) {
    expect_usage_error({"all", "--config", "f"},
                       "drover all: --config: this command takes no configuration file; give --inventory instead");
}

TEST_F(ProgramTest, AServerIsRefusedByCommandsThatDoNotUseOne) {
    expect_usage_error({"--server", "http://x", "all"},
                       "drover all: --server: this command works on this host alone; leave it out");
}

TEST_F(ProgramTest, HelpGoesToStdoutAndIsNoError) {
    EXPECT_EQ(run({"all", "--help"}), 0);
    EXPECT_NE(out_.find("--count"), std::string::npos);
    EXPECT_EQ(err_, "");
    EXPECT_EQ(run({"--help"}), 0);
    EXPECT_NE(out_.find("takes a file"), std::string::npos);
}

}  // namespace
}  // namespace drover::cli
