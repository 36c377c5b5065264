// Finds out when Android has booted: asks sys.boot_completed over a phone's carrier until it says 1.
//
// Threads: the phone's loop. Ownership: the phone's; `booted` is called at most once per start(), never from inside it. Failure:
// none; a phone that does not answer is asked again. These reads are no commands: no row, no count, no place at the gate.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "adb/shell_call.hpp"
#include "base/loop_pool.hpp"

namespace drover::fleet {

class BootWatch final : private adb::ShellSink {
public:
    static constexpr auto kAskAgain = std::chrono::seconds(1);
    static constexpr auto kAnswerMax = std::chrono::seconds(5);
    static constexpr std::size_t kAnswerBytesMax = 64;

    BootWatch(Loop& loop, std::function<void()> booted) : loop_(loop), booted_(std::move(booted)) {}

    void start(adb::Carrier& carrier);
    void stop();

private:
    void on_shell_open() override {}
    adb::Ack on_shell_output(OutputStream stream, ByteView bytes) override;
    void on_shell_end(const Result<int>& exit) override;
    void ask();

    Loop& loop_;
    const std::function<void()> booted_;
    adb::Carrier* carrier_ = nullptr;  // none: stopped
    std::string answer_;
    std::optional<adb::ShellCall> call_;
    Timer ask_ = Timer::calls<&BootWatch::ask>(*this);
};

}  // namespace drover::fleet
