#include "transfer/shell_task.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace drover::transfer {

Result<Leg> ShellTask::leg(const adb::Peer& peer, std::string_view command, Read read) {
    auto task = std::make_unique<ShellTask>();
    task->read_ = std::move(read);
    if (peer.features.shell_v2()) return Leg{fmt::format("shell,v2,raw:{}", command), std::move(task)};
    const std::string marker = adb::random_marker();
    if (marker.empty()) return fail(Code::out_of_resources, "the host has no random numbers to give");
    auto marked = adb::mark_command(command, marker);
    task->v1_.emplace(std::move(marked.marker));
    return Leg{"shell:" + marked.line, std::move(task)};
}

Result<void> ShellTask::feed(ByteView bytes) {
    if (v1_) {
        v1_->feed(bytes, *this);
        return {};
    }
    if (auto fed = v2_.feed(bytes, *this); !fed) return fed;
    if (v2_.exit_code()) exit_ = *v2_.exit_code();
    return {};
}

void ShellTask::on_shell_bytes(OutputStream, ByteView bytes) {
    output_ += as_text(bytes.first(std::min(bytes.size(), kOutputBytesMax - output_.size())));
}

Result<void> ShellTask::on_closed() {
    if (v1_) exit_ = v1_->finish(*this);
    return exit_ ? Result<void>() : fail(Code::exit_code_unknown, "the phone closed the command without its exit code");
}

Result<std::string> ShellTask::output() const {
    if (exit_.value_or(0) == 0) return output_;
    std::string said = output_.substr(0, output_.find_last_not_of("\r\n") + 1);
    std::replace(said.begin(), said.end(), '\n', ' ');
    return fail(Code::command_failed, said.empty() ? fmt::format("exit code {}", *exit_) : said);
}

}  // namespace drover::transfer
