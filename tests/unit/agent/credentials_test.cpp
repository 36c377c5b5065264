#include "agent/credentials.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "http/auth.hpp"
#include "support/temp_dir.hpp"

namespace drover::agent {
namespace {

class AgentCredentials : public ::testing::Test {
protected:
    std::filesystem::path secret(std::string_view name, std::string_view text) {
        auto file = dir.write(name, text);
        EXPECT_EQ(::chmod(file.c_str(), 0600), 0);
        return file;
    }
    static net::Request request() {
        net::Request r;
        r.method = "POST";
        r.target = "/v3/sources/rack%201%2Fleft/command_result";
        r.body = "{}";
        return r;
    }
    std::string token_sent(Credentials& credentials) {
        auto r = request();
        const auto signed_ = credentials.sign(r, now);
        EXPECT_TRUE(signed_) << signed_.error().message;
        const auto* token = r.header("X-Auth-Token");
        return token ? *token : "";
    }

    const std::chrono::system_clock::time_point now = std::chrono::system_clock::now();
    test::TempDir dir;
    http::AgentConfig config;
};

TEST_F(AgentCredentials, ATokenFileIsReadForEachRequest) {
    config.token_file = secret("token", "first\n");
    Credentials credentials(config);
    EXPECT_EQ(token_sent(credentials), "first");
    EXPECT_FALSE(credentials.reload());
    secret("token", "second");
    EXPECT_TRUE(credentials.reload()) << "others than were used";
    EXPECT_TRUE(credentials.reload()) << "still";
    EXPECT_EQ(token_sent(credentials), "second");
    EXPECT_FALSE(credentials.reload());
}

TEST_F(AgentCredentials, ASecretThatOthersMayReadIsRefused) {
    config.token_file = secret("token", "secret-text");
    ASSERT_EQ(::chmod(config.token_file->c_str(), 0640), 0);
    auto r = request();
    const auto refused = Credentials(config).sign(r, now);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("chmod 600"), std::string::npos);
    EXPECT_EQ(refused.error().message.find("secret-text"), std::string::npos);
}

TEST_F(AgentCredentials, WhatIsNoTokenIsRefused) {
    for (const std::string& text :
         {std::string(), std::string("\n"), std::string("two\nlines"), std::string(16'385, 'x')}) {
        config.token_file = secret("token", text);
        EXPECT_FALSE(Credentials(config).check()) << text.substr(0, 20);
    }
    config.token_file = secret("token", std::string(16'384, 'x'));
    EXPECT_TRUE(Credentials(config).check());
    config.token_file = dir / "nowhere";
    EXPECT_FALSE(Credentials(config).check());
}

TEST_F(AgentCredentials, ASignatureIsTakenByOurOwnServer) {
    config.access_key_file = secret("key.yaml", "access: AK\nsecret: SK\n");
    config.url = *net::parse_url("http://controller.example:8090/prefix");
    Credentials credentials(config);
    auto r = request();
    ASSERT_TRUE(credentials.sign(r, now));
    EXPECT_FALSE(r.header("Host")) << "the client adds it";
    // As it arrives.
    r.target = "/prefix" + r.target;
    r.headers.push_back({"Host", "controller.example:8090"});
    const auto tenant = std::make_shared<const http::Tenant>();
    EXPECT_TRUE(http::Authenticator({}, {{"AK", "SK", tenant}}).judge(r, now));
    r.body += ' ';
    EXPECT_FALSE(http::Authenticator({}, {{"AK", "SK", tenant}}).judge(r, now));
    secret("key.yaml", "access: AK\n");
    EXPECT_FALSE(credentials.check()) << "the secret is missing";
}

TEST_F(AgentCredentials, WithoutAnyTheEnvironmentIsAsked) {
    ASSERT_EQ(::unsetenv("DROVER_AGENT_ACCESS_KEY"), 0);
    EXPECT_FALSE(Credentials(config).check());
    ASSERT_EQ(::setenv("DROVER_AGENT_ACCESS_KEY", "AK", 1), 0);
    ASSERT_EQ(::setenv("DROVER_AGENT_SECRET_KEY", "SK", 1), 0);
    EXPECT_TRUE(Credentials(config).check());
}

}  // namespace
}  // namespace drover::agent
