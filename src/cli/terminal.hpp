// The process's own stdout and stderr. Main thread only.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace drover::cli {

// Stops SIGPIPE and SIGXFSZ from ending the process while phones are at work: a closed pipe, and a file that may not grow, are
// errors of write(2) instead.
void ignore_sigpipe();
// A program started without stdin, stdout or stderr would get a phone's socket as one of them. Call first in main().
void keep_standard_streams_open();

// Writes all of it; false when that failed, with errno set.
bool write_all(int fd, std::string_view text);
void say(std::string_view line);  // one line on stderr; nobody there: dropped

// Whether fd can be written to at all; a stream that was not given cannot.
bool is_writable(int fd);
bool is_terminal(int fd);
std::size_t terminal_width(int fd);  // columns; 80 when unknown

// Results. After the first failure nothing more is written.
class ResultStream {
public:
    void write(std::string_view text);
    bool lost() const { return lost_; }
    // Why, for people; empty for a closed pipe, which is the reader's wish.
    const std::string& why() const { return why_; }
    // To be called last by a command whose results are all it does: says why they were lost; 0 or 1.
    int exit_code() const;

private:
    bool lost_ = false;
    std::string why_;
};

}  // namespace drover::cli
