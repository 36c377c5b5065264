#include "fleet/question.hpp"

#include <algorithm>

namespace drover::fleet {

void Question::ask(adb::Carrier& carrier, std::string_view line, Duration limit) {
    stop();
    answer_.clear();
    call_.emplace(static_cast<adb::ShellSink&>(*this));
    const auto sent = call_->start(carrier, line);
    not_sent_ = sent ? std::nullopt : std::optional(sent.error());
    loop_.arm_after(deadline_, sent ? limit : Duration::zero());
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

// An exit code other than 0 is an answer too.
void Question::on_shell_end(const Result<int>& exit) {
    deadline_.cancel();
    if (!exit && exit.error().code != Code::exit_code_unknown) return done_(tl::unexpected(exit.error()));
    done_(Answer{std::move(answer_), exit ? std::optional(*exit) : std::nullopt});
}

void Question::on_deadline() {
    call_.reset();
    done_(tl::unexpected(not_sent_ ? *not_sent_ : Error(Code::open_deadline, "no answer in time")));
}

}  // namespace drover::fleet
