// Templates that expand to more than fits: each is a failure of its step, in a few words, and the job goes on where it may.
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "support/drover.hpp"

namespace drover::test {
namespace {

namespace json = boost::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// x3 and x5 are three and five times the 60,000 bytes that the first step prints.
std::string with_big(std::string text) {
    const std::string big = "{{ outputs.big.stdout }}";
    for (const auto& [name, times] : {std::pair{std::string("x5"), 5}, std::pair{std::string("x3"), 3}}) {
        for (auto at = text.find(name); at != std::string::npos; at = text.find(name)) {
            std::string many;
            for (int i = 0; i < times; ++i) many += big;
            text.replace(at, name.size(), many);
        }
    }
    return text;
}

// What is between is digits.
std::string brief(const std::string& message) {
    constexpr std::size_t kEndBytes = 100;
    if (message.size() <= 2 * kEndBytes) return message;
    return message.substr(0, kEndBytes) + "|" + message.substr(message.size() - kEndBytes);
}

TEST(JobLimits, TemplatesThatExpandToMoreThanFits) {
    const TempDir dir;
    const auto profile = dir.write("p.yaml", "version: 1\nname: mixed\nphones:\n  '*2': {protocol: old}\n");
    const SimProcess phones(2, {"--profile", profile.string()});
    const auto file =
        dir.write("j.yaml", with_big("version: 1\nsteps:\n"
                                     "  - {name: big, register: big, run: 'i=0; while [ $i -lt 6000 ]; do "
                                     "echo -n 0123456789; i=$((i+1)); done'}\n"
                                     "  - {name: line, run: 'echo x5', continue-on-error: true}\n"
                                     "  - {name: old phone, run: 'echo {{ outputs.big.stdout }} | wc -l', "
                                     "continue-on-error: true}\n"
                                     "  - {name: to, push: {from: j.yaml, to: '/sdcard/x3'}, continue-on-error: true}\n"
                                     "  - {name: from, pull: {from: '/sdcard/x3', to: out}, continue-on-error: true}\n"
                                     "  - {name: keep, screenshot: {to: 'out/x3'}, continue-on-error: true}\n"
                                     "  - {name: host, host-run: [echo, 'x3'], continue-on-error: true}\n"
                                     "  - {name: env, run: 'true', env: {A: 'x5'}, continue-on-error: true}\n"
                                     "  - {name: app, uninstall: 'com.x3', continue-on-error: true}\n"
                                     "  - {name: message, fail: '{{ outputs.big.stdout }}', "
                                     "continue-on-error: true}\n"
                                     "  - {name: end, run: echo here}\n"));
    const auto done =
        run_drover({"run", file.string(), "--inventory", phones.inventory(), "--output", "json", "--timeout", "120s"},
                   {{"XDG_STATE_HOME", dir.path().string()}});
    ASSERT_EQ(done.code(), 0) << done.out << done.err;
    const auto document = json::parse(done.out);
    for (const auto& row : document.at("rows").as_array()) {
        const bool old = row.at("instance_id").as_string() == "vphone-0002";
        std::map<std::string, std::string> told;
        for (const auto& step : row.at("steps").as_array()) {
            const std::string name(step.at("name").as_string()), message(step.at("error_msg").as_string());
            told[name] = std::string(step.at("error_code").as_string()) + " " + brief(message);
            EXPECT_LT(message.size(), 3'200U) << name;
        }
        EXPECT_THAT(told["line"],
                    HasSubstr("DROVER.2011 The step cannot be made for this phone: more than 262144 bytes"));
        EXPECT_THAT(told["old phone"],
                    StartsWith(old ? "DROVER.2007 The command is longer than the phone accepts" : " "));
        EXPECT_THAT(told["to"], HasSubstr("DROVER.2011 The step cannot be made for this phone: to: a path of "));
        EXPECT_THAT(told["from"], HasSubstr("DROVER.2011 "));
        EXPECT_THAT(told["from"], EndsWith("the path on the phone is empty or too long"));
        EXPECT_THAT(told["keep"], StartsWith("DROVER.4006 "));
        EXPECT_THAT(told["keep"], EndsWith("File name too long"));
        EXPECT_THAT(told["host"], HasSubstr("Argument list too long"));
        EXPECT_THAT(told["env"],
                    HasSubstr("DROVER.2011 The step cannot be made for this phone: env.A: more than 262144 "));
        EXPECT_THAT(told["app"], HasSubstr("DROVER.2011 "));
        EXPECT_THAT(told["message"], StartsWith("CPS.0191 Run command failed: 0123456789"));
        EXPECT_EQ(told["end"], " ");
    }
    EXPECT_FALSE(std::filesystem::exists(dir / "out"));
}

}  // namespace
}  // namespace drover::test
