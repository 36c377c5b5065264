// README.md and the pages it leads to keep their word: every ```sh block runs as it stands, on virtual phones, so do the
// drover lines of the ```yml workflow, and every ```yaml block is a good file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/yaml_tree.hpp"
#include "drover/job.hpp"
#include "fleet/inventory.hpp"
#include "support/drover.hpp"
#include "where.hpp"

namespace drover {
namespace {

using testing::HasSubstr;

struct Block {
    std::string language;
    std::string text;
};

std::vector<Block> blocks_of(const std::string& markdown) {
    std::vector<Block> blocks;
    for (std::size_t from = 0; (from = markdown.find("\n```", from)) != std::string::npos;) {
        const auto text = markdown.find('\n', from + 4) + 1;
        const auto end = markdown.find("\n```", text - 1);
        if (end == std::string::npos) break;
        blocks.push_back({markdown.substr(from + 4, text - 1 - (from + 4)), markdown.substr(text, end + 1 - text)});
        from = end + 4;
    }
    return blocks;
}

const std::vector<Block>& readme() {
    static const auto blocks = [] {
        std::vector<Block> all;
        for (const char* page : {"README.md", "config/README.md", "config/jobs/README.md"}) {
            const auto more = blocks_of(test::read_file(std::filesystem::path(DROVER_SOURCE_DIR) / page));
            all.insert(all.end(), more.begin(), more.end());
        }
        return all;
    }();
    return blocks;
}

// "# NAME" in its first line says which file a YAML block is.
std::string file_name(const Block& block) { return block.text.substr(2, block.text.find('\n') - 2); }

// What the steps of a GitHub Actions workflow run by drover, on these phones.
std::string workflow_script(const std::string& workflow, const std::string& inventory) {
    const auto root = yaml::parse(workflow, {"workflow.yml", Code::usage, workflow.size() + 1});
    if (!root) throw std::runtime_error(root.error().message);
    std::string script;
    for (const auto& job : root->find("jobs")->value.entries) {
        for (const auto& step : job.value.find("steps")->value.items) {
            const auto* run = step.find("run");
            if (!run || !run->value.text.starts_with("drover ")) continue;
            auto line = run->value.text;
            constexpr std::string_view kOption = "--inventory ";
            if (const auto at = line.find(kOption); at != std::string::npos) {
                const auto from = at + kOption.size();
                line.replace(from, line.find(' ', from) - from, inventory);
            }
            script += line.ends_with('\n') ? line : line + "\n";
        }
    }
    return script;
}

TEST(Readme, YamlBlocksAreGoodFiles) {
    int inventories = 0, jobs = 0;
    for (const auto& block : readme()) {
        if (block.language != "yaml") continue;
        if (block.text.find("\ninstances:") != std::string::npos) {
            const auto inventory = fleet::parse_inventory(block.text, file_name(block));
            EXPECT_TRUE(inventory) << inventory.error().message;
            ++inventories;
        } else {
            const auto job = Job::parse(block.text, file_name(block));
            EXPECT_TRUE(job) << job.error().front().message;
            ++jobs;
        }
    }
    EXPECT_GE(inventories, 1);
    EXPECT_GE(jobs, 1);
}

TEST(Readme, EveryCommandRunsAsItStands) {
    test::TempDir dir;
    std::string script = "set -eu\n";
    std::string sim, workflow;
    for (const auto& block : readme()) {
        if (block.language == "yaml") dir.write(file_name(block), block.text);
        if (block.language == "yml") workflow += workflow_script(block.text, "phones.yaml");
        if (block.language != "sh") continue;
        if (block.text.starts_with("drover sim ")) {
            sim = block.text;
        } else {
            script += block.text;
        }
    }
    ASSERT_THAT(sim, HasSubstr("--count 20"));
    ASSERT_THAT(script, HasSubstr("drover exec"));
    ASSERT_THAT(workflow, HasSubstr("drover validate --sarif wifi.yaml"));
    ASSERT_THAT(workflow, HasSubstr("drover run wifi.yaml --inventory phones.yaml --rc policy"));

    const auto bin = std::filesystem::path(DROVER_PROGRAM).parent_path().string();
    const auto shell = [&](const std::string& text) {
        test::ProcessOptions options;
        options.argv = {"sh", "-c", text};
        options.cwd = dir.path();
        options.env = {{"PATH", bin + ":" + std::getenv("PATH")}, {"HOME", dir.path().string()}};
        return options;
    };
    test::Process phones(shell("exec " + sim));
    ASSERT_TRUE(phones.wait_for_line("ready: 20 phones")) << phones.err();
    const auto done = test::run(shell(script), std::chrono::minutes(4));  // of many programs, also with sanitizers
    EXPECT_EQ(done.code(), 0) << done.out << done.err;
    EXPECT_THAT(done.out, HasSubstr("vphone-0020"));
    EXPECT_THAT(done.out, HasSubstr("exit code 10"));
    EXPECT_THAT(done.out, HasSubstr("exit code 11: "));
    EXPECT_THAT(done.out, HasSubstr("exit code 22: "));
    EXPECT_THAT(done.out, HasSubstr("looking for"));
    EXPECT_THAT(done.out, HasSubstr("wifi-check: 9 phones, 2 steps")) << "plan";
    EXPECT_TRUE(std::filesystem::exists(dir / "report.xml"));
    EXPECT_TRUE(std::filesystem::exists(dir / "wifi.html"));
    EXPECT_TRUE(std::filesystem::exists(dir / "wifi-artifacts/vphone-0001/01-model/stdout"));
    EXPECT_TRUE(std::filesystem::exists(dir / "outputs/vphone-0001.out"));
    EXPECT_TRUE(std::filesystem::exists(dir / "my-adbkey.pub"));

    std::filesystem::remove(dir / "wifi.html");
    const auto in_ci = test::run(shell("set -eu\n" + workflow), std::chrono::minutes(1));
    EXPECT_EQ(in_ci.code(), 0) << in_ci.out << in_ci.err;
    EXPECT_THAT(test::read_file(dir / "wifi.sarif"), HasSubstr("2.1.0"));
    EXPECT_TRUE(std::filesystem::exists(dir / "wifi.html"));
    EXPECT_TRUE(std::filesystem::exists(dir / "artifacts/vphone-0001/01-model/stdout"));
}

}  // namespace
}  // namespace drover
