#include "fleet/boot_watch.hpp"

#include <algorithm>

namespace drover::fleet {

void BootWatch::start(adb::Carrier& carrier) {
    stop();
    carrier_ = &carrier;
    loop_.arm_after(ask_, Duration::zero());
}

void BootWatch::stop() {
    carrier_ = nullptr;
    ask_.cancel();
    call_.reset();
}

// Also the deadline of the last answer: a phone that hangs is asked anew.
void BootWatch::ask() {
    answer_.clear();
    call_.emplace(static_cast<adb::ShellSink&>(*this));
    const bool sent = call_->start(*carrier_, "getprop sys.boot_completed").has_value();
    loop_.arm_after(ask_, sent ? Duration(kAnswerMax) : Duration(kAskAgain));
}

adb::Ack BootWatch::on_shell_output(OutputStream stream, ByteView bytes) {
    const std::size_t room = kAnswerBytesMax - std::min(kAnswerBytesMax, answer_.size());
    if (stream == OutputStream::out) answer_.append(as_text(bytes.first(std::min(room, bytes.size()))));
    return adb::Ack::now;
}

void BootWatch::on_shell_end(const Result<int>&) {
    const auto end = answer_.find_last_not_of("\r\n ");
    if (end != std::string::npos && answer_.substr(0, end + 1) == "1") {
        carrier_ = nullptr;
        ask_.cancel();
        return booted_();
    }
    if (carrier_) loop_.arm_after(ask_, kAskAgain);
}

}  // namespace drover::fleet
