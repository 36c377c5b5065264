#include "cli/raw_terminal.hpp"

namespace drover::cli {

RawTerminal::RawTerminal(int fd) : fd_(fd) {
    termios now{};
    if (::tcgetattr(fd_, &now) != 0) return;
    before_ = now;
    ::cfmakeraw(&now);
    // A read gives what is there.
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    ::tcsetattr(fd_, TCSADRAIN, &now);
}

void RawTerminal::restore() {
    if (before_) ::tcsetattr(fd_, TCSADRAIN, &*before_);
    before_.reset();
}

std::string EscapeKeys::pass(std::string_view keys) {
    std::string out;
    for (const char key : keys) {
        if (leave_) break;
        if (at_ == At::line_begin && key == '~') {
            at_ = At::tilde;  // held back until the next key tells
            continue;
        }
        if (at_ == At::tilde) {
            if (key == '.') {
                leave_ = true;
                break;
            }
            if (key != '~') out += '~';  // "~~" sends one
        }
        out += key;
        at_ = key == '\r' || key == '\n' ? At::line_begin : At::line;
    }
    return out;
}

}  // namespace drover::cli
