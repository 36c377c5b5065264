// Whether a phone still answers: when it is asked, and what counts as an answer.
#include "fleet/pulse.hpp"

#include <gmock/gmock.h>

#include <future>

#include "support/fake_phone.hpp"

namespace drover::test {
namespace {

using namespace std::chrono_literals;

class PulseTest : public ::testing::Test {
protected:
    PulseTest() {
        upkeep.alive_every = upkeep.alive_answer = 5ms;
        carrier.before_answer = [this](FakeCarrier& c, std::string_view) {
            if (c.opened.size() == asked_wanted) asked.set_value();
        };
    }
    ~PulseTest() override {
        pool.run_on(0, [&] { pulse.stop(); });
    }
    void start() {
        pool.run_on(0, [&] { pulse.start(carrier, 0ms); });
    }

    Upkeep upkeep;
    std::size_t asked_wanted = 4;
    std::promise<void> asked, silent, looked;
    int looks = 0;
    bool is_busy = false;
    int silences = 0, answers = 0;
    LoopPool pool{1};
    FakeCarrier carrier{pool.at(0)};
    fleet::Pulse pulse{pool.at(0), upkeep,
                       [this] {
                           if (++looks == 3) looked.set_value();
                           return is_busy;
                       },
                       [this] {
                           if (++silences == 1) silent.set_value();
                       },
                       [this] { ++answers; }};
};

TEST_F(PulseTest, ARefusalIsAnAnswer) {
    carrier.behave = FakeCarrier::Behave::refuses;
    start();
    asked.get_future().wait();
    pool.run_on(0, [&] {
        EXPECT_EQ(silences, 0);
        EXPECT_GE(answers, 3);
    });
}

TEST_F(PulseTest, TwoQuestionsWithoutAnAnswerAreEnough) {
    carrier.behave = FakeCarrier::Behave::mute;
    start();
    silent.get_future().wait();
    pool.run_on(0, [&] {
        EXPECT_EQ(carrier.opened.size(), fleet::Pulse::kMissesMax);
        EXPECT_EQ(carrier.open_now(), 0u);
        EXPECT_FALSE(pulse.runs());
    });
}

TEST_F(PulseTest, AServerThatHadNoAnswerFromThePhoneIsNone) {
    upkeep.alive_answer = 1h;
    carrier.behave = FakeCarrier::Behave::mute;
    asked_wanted = 1;
    start();
    asked.get_future().wait();
    std::promise<void> again;
    pool.run_on(0, [&] {
        carrier.before_answer = [&](FakeCarrier&, std::string_view) { again.set_value(); };
        carrier.lose(Error(Code::open_deadline, "the phone did not open the service"));
    });
    again.get_future().wait();
    pool.run_on(0, [&] { carrier.lose(Error(Code::open_deadline, "the phone did not open the service")); });
    silent.get_future().wait();
}

TEST_F(PulseTest, APhoneThatRunsACommandIsNotAsked) {
    is_busy = true;
    carrier.behave = FakeCarrier::Behave::mute;
    start();
    looked.get_future().wait();
    pool.run_on(0, [&] {
        EXPECT_TRUE(carrier.opened.empty());
        pulse.missed();
        pulse.missed();
        EXPECT_EQ(silences, 0);
        EXPECT_EQ(answers, 0);
        is_busy = false;
    });
    silent.get_future().wait();
    pool.run_on(0, [&] { EXPECT_EQ(carrier.opened.size(), fleet::Pulse::kMissesMax); });
}

}  // namespace
}  // namespace drover::test
