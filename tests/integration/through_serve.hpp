// drover's command line beside and through a running `drover serve` with three virtual phones. Same rules as support/process.hpp.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <regex>

#include "support/serve.hpp"

namespace drover::test {

inline std::string without_times(const std::string& text) {
    // A run of this process has a name, to be resumed by; a server keeps no journal.
    const auto unnamed = std::regex_replace(text, std::regex("drover: run [0-9a-f-]+\n"), "");
    return std::regex_replace(unnamed, std::regex(R"re("(begin_)?ms":[0-9]+|in [0-9.]+ m?s|"since":"[^"]*")re"),
                              "TIME");
}

class ThroughServe : public testing::Test {
protected:
    static void SetUpTestSuite() { sim_ = std::make_unique<SimProcess>(3); }
    static void TearDownTestSuite() { sim_.reset(); }

    using Args = std::vector<std::string>;
    static Args with(Args args, Args more) {
        args.insert(args.end(), more.begin(), more.end());
        return args;
    }
    Finished direct(Args args) {
        args.insert(args.begin() + 1, {"--inventory", sim_->inventory()});
        return home.drover(std::move(args));
    }
    // Both ways give the same; what they gave is the caller's to look at.
    Finished same(const Args& args) {
        auto through = home.drover(args);
        const auto own = direct(args);
        EXPECT_EQ(without_times(through.out), without_times(own.out));
        EXPECT_EQ(without_times(through.err), without_times(own.err));
        EXPECT_EQ(through.code(), own.code());
        return through;
    }
    Process start(Args args) {
        args.insert(args.begin(), "-v");
        return Process(drover_command(std::move(args), home.env()));
    }

    static inline std::unique_ptr<SimProcess> sim_;
    ServeHome home;
    ServeProcess serve{home, sim_->inventory()};
};

}  // namespace drover::test
