// One question to a phone that is no command: a shell line over its carrier, its answer bounded in bytes and time. No row, no
// count, no place at the gate.
//
// Threads: the phone's loop. Ownership: the asker's; `done` comes once per ask(), never from inside it, unless stop() or the
// destructor comes first; it may ask again, not destroy. Failure: why there is no answer; Code::open_deadline: none came in
// time.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "adb/shell_call.hpp"
#include "base/loop_pool.hpp"

namespace drover::fleet {

class Question final : private adb::ShellSink {
public:
    static constexpr std::size_t kAnswerBytesMax = 64 * 1024;
    struct Answer {
        std::string text;
        std::optional<int> exit_code;  // none: the phone did not say it
    };
    using Done = std::function<void(const Result<Answer>& answer)>;

    Question(Loop& loop, Done done) : loop_(loop), done_(std::move(done)) {}

    // What is under way is dropped.
    void ask(adb::Carrier& carrier, std::string_view line, Duration limit);
    void stop();
    bool asking() const { return deadline_.armed(); }

private:
    void on_shell_open() override {}
    adb::Ack on_shell_output(OutputStream stream, ByteView bytes) override;
    void on_shell_end(const Result<int>& exit) override;
    void on_deadline();

    Loop& loop_;
    const Done done_;
    std::string answer_;
    std::optional<Error> not_sent_;
    std::optional<adb::ShellCall> call_;
    Timer deadline_ = Timer::calls<&Question::on_deadline>(*this);
};

}  // namespace drover::fleet
