// This process's terminal, handed to a program on a phone: keys go out as they are typed, and `~.` at the beginning of a line
// takes leave, as with adb and ssh. Main thread; one at a time.
#pragma once
#include <termios.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::cli {

// Raw while it lives; as it was before afterwards.
class RawTerminal {
public:
    explicit RawTerminal(int fd);
    ~RawTerminal() { restore(); }
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
    void restore();

private:
    int fd_;
    std::optional<termios> before_;
};

// Finds the way out among the keys. Pure.
class EscapeKeys {
public:
    // What is to be sent on.
    std::string pass(std::string_view keys);
    bool leave() const { return leave_; }

private:
    enum class At : std::uint8_t { line_begin, tilde, line };
    At at_ = At::line_begin;
    bool leave_ = false;
};

}  // namespace drover::cli
