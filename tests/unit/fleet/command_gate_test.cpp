#include "fleet/command_gate.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace drover::fleet {
namespace {

struct EndsAtOnce final : GateWaiter {
    explicit EndsAtOnce(CommandGate& g) : gate(g) {}
    void on_admitted() override {
        ++admitted;
        gate.exit();
    }
    CommandGate& gate;
    int admitted = 0;
};

TEST(CommandGate, ThousandsThatEndAtOnceNeedNoStack) {
    CommandGate gate;
    EndsAtOnce first(gate);
    for (std::size_t i = 0; i < CommandGate::kCommandsMax; ++i) ASSERT_TRUE(gate.enter(first));
    std::vector<EndsAtOnce> waiting(200'000, EndsAtOnce(gate));
    for (auto& w : waiting) ASSERT_FALSE(gate.enter(w));
    int idle = 0;
    gate.when_idle([&] { ++idle; });
    gate.exit();
    for (const auto& w : waiting) ASSERT_EQ(w.admitted, 1);
    EXPECT_EQ(idle, 0) << "the other seven still run";
    for (std::size_t i = 1; i < CommandGate::kCommandsMax; ++i) gate.exit();
    EXPECT_EQ(idle, 1);
    EXPECT_TRUE(gate.idle());
}

}  // namespace
}  // namespace drover::fleet
