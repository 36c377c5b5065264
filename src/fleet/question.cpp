#include "fleet/question.hpp"

#include <algorithm>

namespace drover::fleet {

void Question::ask(adb::Carrier& carrier, std::string_view line, Duration limit) {
    stop();
    answer_.clear();
    call_.emplace(static_cast<adb::ShellSink&>(*this));
    sent_ = call_->start(carrier, line).has_value();
    loop_.arm_after(deadline_, sent_ ? limit : Duration::zero());
}

void Question::stop() {
    deadline_.cancel();
    call_.reset();
}

adb::Ack Question::on_shell_output(OutputStream stream, ByteView bytes) {
    const std::size_t room = kAnswerBytesMax - std::min(kAnswerBytesMax, answer_.size());
    if (stream == OutputStream::out) answer_.append(as_text(bytes.first(std::min(room, bytes.size()))));
    return adb::Ack::now;
}

// An exit code other than 0 is an answer too: what was printed counts.
void Question::on_shell_end(const Result<int>& exit) {
    deadline_.cancel();
    const bool answered = exit || exit.error().code == Code::exit_code_unknown;
    done_(answered ? std::optional(std::move(answer_)) : std::nullopt);
}

void Question::on_deadline() {
    call_.reset();
    done_(std::nullopt);
}

}  // namespace drover::fleet
