// Looks after one phone that is under watch: asks whether it still answers, reads its health on a schedule, takes it out of
// service while it is past a limit, and climbs the recovery ladder while it does not run.
//
// Threads: the phone's loop. Ownership: the phone's; `patient` is the phone and outlives it. Failure: none; what could not be
// tried is logged and counted.
#pragma once
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "base/loop_pool.hpp"
#include "fleet/health.hpp"
#include "fleet/pulse.hpp"
#include "fleet/question.hpp"
#include "fleet/recovery.hpp"

namespace drover::fleet {

// What the caretaker may do to its phone.
class Patient {
public:
    virtual const std::string& name() const = 0;
    virtual bool busy() const = 0;  // a command runs or waits
    virtual void reconnect() = 0;
    virtual bool reset_usb() = 0;  // false: it is not on USB
    // False: there is no link to send it over. One that has not gone by the end of `check` did not reboot.
    virtual bool reboot(Duration check) = 0;
    virtual void ask_a_person() = 0;
    virtual void set_unfit(std::optional<std::string> why) = 0;
    virtual void does_not_answer() = 0;  // its link is up, and useless
    virtual void answers() = 0;          // said with every answer

protected:
    ~Patient() = default;
};

class Caretaker {
public:
    static constexpr auto kAnswerMax = std::chrono::seconds(10);
    static constexpr auto kBusyWait = std::chrono::seconds(1);  // until a due rung is looked at again

    Caretaker(Loop& loop, const Upkeep& upkeep, RecoveryCounts& counts, Patient& patient);

    // The phone is watched or not any more; one that is not is left alone.
    void set_watched(bool watched);
    // Its state changed. `runs`: Android is up. `expected`: it should run: it is not disabled, not told to go away.
    void on_state(bool runs, bool expected);
    // `in_doubt`: it did not answer on its last link, so it is asked at once.
    void on_online(adb::Carrier& carrier, bool in_doubt = false);
    void on_down();
    const std::optional<Health>& health() const { return health_; }

private:
    void read_health();
    void on_answer(const Result<Question::Answer>& answer);
    void climb();
    void arm_ladder();
    void try_rung(const Rung& rung);

    Loop& loop_;
    const Upkeep& upkeep_;
    RecoveryCounts& counts_;
    Patient& patient_;
    bool watched_ = false;
    bool runs_ = false;
    bool expected_ = true;
    adb::Carrier* carrier_ = nullptr;
    std::optional<Health> health_;
    std::minstd_rand jitter_;
    Ladder ladder_;
    Question question_;
    Pulse pulse_;
    Timer health_timer_ = Timer::calls<&Caretaker::read_health>(*this);
    Timer ladder_timer_ = Timer::calls<&Caretaker::climb>(*this);
};

}  // namespace drover::fleet
