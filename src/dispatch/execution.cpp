#include "dispatch/execution.hpp"

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/duration.hpp"

namespace drover::dispatch {

std::string error_text(Code code, std::string_view detail) {
    const std::string_view sentence = info(code).text;
    // Whoever has nothing special to say may hand in the sentence itself.
    const std::string_view without_stop = sentence.substr(0, sentence.size() - (sentence.ends_with('.') ? 1 : 0));
    if (detail.empty() || detail == sentence || detail == without_stop) return std::string(sentence);
    return fmt::format("{}: {}", without_stop, detail);
}

std::string exit_text(int exit_code) {
    constexpr int kKilled = 128, kLastSignal = 64;  // POSIX shells add the signal's number; Linux has 64
    const int signal = exit_code - kKilled;
    if (signal < 1 || signal > kLastSignal) return fmt::format("exit code {}", exit_code);
    return fmt::format("exit code {}, as if killed by signal {}", exit_code, signal);
}

namespace {

// The log, or the screen: what goes on until somebody ends it.
bool is_stream(std::string_view command) {
    const std::string_view word = command.substr(0, command.find(' '));
    return word == "logcat" || word == "screenrecord";
}

}  // namespace

Execution::Execution(fleet::Phone& phone, ExecutionOwner& owner, OutputSink* output, std::size_t target)
    : phone_(phone), owner_(owner), output_(output), target_(target), link_(phone, *this) {}

Execution::~Execution() {
    if (handle_) *handle_ = nullptr;
    show_streaming(false);
}

void Execution::start(Command command) {
    DROVER_ASSERT(phase_ == Phase::queue);
    command_ = std::move(command);
    capture_.emplace(command_.limits.max_output_bytes);
    phone_.loop().arm_after(total_deadline_, command_.limits.total);
    phase_ = Phase::connect;
    link_.start(command_.limits);
}

void Execution::stop(const Error& why) {
    if (!done_) finish(why.code, why.message);
}

void Execution::arm_phase(const std::optional<Limits::Millis>& limit) {
    if (limit) {
        phone_.loop().arm_after(phase_deadline_, *limit);
    } else {
        phase_deadline_.cancel();
    }
}

void Execution::on_link(adb::Carrier& carrier) {
    if (auto r = shell_.start(carrier, command_.text); !r) return finish(r.error().code, r.error().message);
    attempts_ = 1;
    phase_ = Phase::open;
    arm_phase(command_.limits.open);
}

void Execution::on_no_link(const Error& why, Phase phase) {
    phase_ = phase;
    finish(why.code, why.message);
}

void Execution::on_close_input() {
    shell_.close_input();
    if (is_stream(command_.text)) show_streaming(true);
}

// A dump of the log is over before this is looked at.
void Execution::show_streaming(bool now) {
    if (std::exchange(streaming_, now) == now) return;
    using enum fleet::Activity;
    if (now) return phone_.begin_activity(streaming, command_.text);
    phone_.end_activity(streaming, idle, "the stream ended");
}

void Execution::on_shell_open() {
    phone_.loop().arm_after(close_input_, kCloseInputAfter);
    phase_ = Phase::first_byte;
    arm_phase(command_.limits.first_byte ? command_.limits.first_byte : command_.limits.silence);
}

adb::Ack Execution::on_shell_output(OutputStream stream, ByteView bytes) {
    phase_ = Phase::run;
    capture_->add(stream, bytes);
    if (output_ && tell_sink(stream, bytes) == OutputSink::Flow::later) ++held_;
    if (held_ == 0) {
        arm_phase(command_.limits.silence);
        return adb::Ack::now;
    }
    phase_deadline_.cancel();  // what is held back cannot but be silent
    return adb::Ack::later;
}

// Of a packet with many pieces each may be held: the phone goes on after the last one, or it would be given more room
// each time than was made.
void Execution::on_resume() {
    if (done_ || held_ == 0 || --held_ > 0) return;
    arm_phase(command_.limits.silence);
    shell_.acknowledge();
}

OutputSink::Flow Execution::tell_sink(OutputStream stream, ByteView bytes) {
    if (!handle_) handle_ = std::make_shared<Execution*>(this);
    // The sink may call this from its own thread long after the command ended.
    auto resume = [handle = handle_, &loop = phone_.loop()] {
        loop.post([handle] {
            if (*handle) (*handle)->on_resume();
        });
    };
    return output_->on_output(target_, stream, as_text(bytes), std::move(resume));
}

void Execution::on_shell_end(const Result<int>& exit) {
    if (!exit) return finish(exit.error().code, exit.error().message);
    if (*exit == 0) return finish(Code::ok, {}, 0);
    finish(Code::command_failed, exit_text(*exit), *exit);
}

void Execution::on_phase_deadline() {
    const auto& limits = command_.limits;
    switch (phase_) {
        case Phase::open: return finish(Code::open_deadline, fmt::format("nothing within {}", to_string(limits.open)));
        case Phase::first_byte:
            if (limits.first_byte)
                return finish(Code::first_byte_deadline,
                              fmt::format("nothing within {}", to_string(*limits.first_byte)));
            [[fallthrough]];
        default: return finish(Code::silence_deadline, fmt::format("nothing for {}", to_string(*limits.silence)));
    }
}

void Execution::on_total_deadline() { expire(fmt::format("not done within {}", to_string(command_.limits.total))); }

void Execution::expire(std::string_view limit) {
    if (done_) return;
    if (phase_ == Phase::connect) return link_.expire();
    finish(Code::timeout, limit);
}

void Execution::finish(Code code, std::string_view detail, std::optional<int> exit_code) {
    DROVER_ASSERT(!done_);
    done_ = true;
    phase_deadline_.cancel();
    total_deadline_.cancel();
    close_input_.cancel();
    link_.cancel();
    shell_.stop();
    show_streaming(false);
    Row row;
    row.code = code;
    if (code != Code::ok) row.error_msg = error_text(code, detail);
    row.phase = exit_code ? Phase::done : phase_;
    row.exit_code = exit_code;
    row.attempts = attempts_;
    if (capture_) capture_->finish(row);
    owner_.on_result(std::move(row));
}

}  // namespace drover::dispatch
