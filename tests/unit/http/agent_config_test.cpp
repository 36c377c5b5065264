#include "http/agent_config.hpp"

#include <gtest/gtest.h>

#include "http/config.hpp"

namespace drover::http {
namespace {

Result<Config> parse_agent(const std::string& agent) {
    return parse_config("version: 1\nagent:\n" + agent, "/etc/drover/drover.yaml", {"/var/lib/drover"});
}
constexpr const char* kLeast = "  controller: https://c.example\n  server_id: s1\n";

void expect_bad(const std::string& agent, std::string_view part) {
    const auto config = parse_agent(agent);
    ASSERT_FALSE(config) << agent;
    EXPECT_NE(config.error().message.find(part), std::string::npos) << config.error().message;
}

TEST(AgentConfigFile, TheLeastHasTheDocumentedDefaults) {
    const auto config = parse_agent(kLeast);
    ASSERT_TRUE(config) << config.error().message;
    ASSERT_TRUE(config->agent);
    const auto& agent = *config->agent;
    EXPECT_TRUE(agent.url.tls);
    EXPECT_EQ(agent.poll, std::chrono::seconds(30));
    EXPECT_EQ(agent.timeout, std::chrono::seconds(10));
    EXPECT_EQ(agent.retry_max, std::chrono::minutes(5));
    EXPECT_EQ(agent.parallel, 4U);
    EXPECT_FALSE(parse_config("version: 1\n", "x.yaml", {"/s"})->agent);
}

TEST(AgentConfigFile, AllOfIt) {
    const auto config =
        parse_agent(std::string(kLeast) +
                    "  token_file: t\n  ca: ca.pem\n  poll: 1m\n  retry: 2s\n  retry_max: 1m\n  parallel: 2\n"
                    "  jobs: {2c0689c860ad4728a497c91ec0844384: jobs/a.yaml}\n"
                    "  buckets: {lab: {directory: /srv/logs, mode: '0700'}, other: {directory: logs}}\n");
    ASSERT_TRUE(config) << config.error().message;
    const auto& agent = *config->agent;
    EXPECT_EQ(agent.token_file, "/etc/drover/t");
    EXPECT_EQ(agent.jobs.at("2c0689c860ad4728a497c91ec0844384"), "/etc/drover/jobs/a.yaml");
    EXPECT_EQ(agent.buckets.at("lab").mode, 0700U);
    EXPECT_EQ(agent.buckets.at("other").mode, 0750U);
    EXPECT_EQ(agent.buckets.at("other").directory, "/etc/drover/logs");
}

TEST(AgentConfigFile, MistakesAreNamed) {
    expect_bad("  server_id: s1\n", "controller");
    expect_bad("  controller: https://c.example\n", "server_id");
    expect_bad("  controller: https://c.example\n  server_id: ''\n", "1 to 255");
    expect_bad("  controller: http://c.example\n  server_id: s1\n", "insecure: true");
    expect_bad("  controller: ftp://c.example\n  server_id: s1\n", "agent.controller");
    const std::string least = kLeast;
    EXPECT_TRUE(parse_agent("  controller: http://c.example\n  server_id: s1\n  insecure: true\n"));
    EXPECT_TRUE(parse_agent("  controller: http://127.0.0.1:8090\n  server_id: s1\n"));
    expect_bad(least + "  token: a\n  token_file: b\n", "one of token");
    expect_bad(least + "  poll: 30\n", "agent.poll");
    expect_bad(least + "  retry: 10m\n", "longer than retry_max");
    expect_bad(least + "  jobs: {../x: a.yaml}\n", "a task_id here has letters");
    expect_bad(least + "  buckets: {a/b: {directory: x}}\n", "a bucket here has letters");
    expect_bad(least + "  buckets: {a: {directory: x, mode: '750'}}\n", "octal");
    expect_bad(least + "  buckets: {a: {mode: '0750'}}\n", "directory");
    expect_bad(least + "  buckets: [a]\n", "buckets");
    expect_bad(least + "  job: {}\n", "jobs");
}

TEST(AgentConfigFile, PlainNamesHaveNoPathParts) {
    for (const std::string_view good : {"a", "lab-logs", "A.b_c-9"}) EXPECT_TRUE(is_plain_name(good)) << good;
    for (const std::string_view bad : {"", ".", "..", "-a", "a/b", "a b", "a\n", "\xc3\xa4", "../x"})
        EXPECT_FALSE(is_plain_name(bad)) << bad;
    EXPECT_FALSE(is_plain_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace drover::http
