// What a row keeps of a command's output: both streams merged as they came, made valid UTF-8, cut at a character boundary.
// Memory is bounded by the limit; what lies past it is only counted. Pure; one thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/utf8.hpp"
#include "drover/row.hpp"

namespace drover::dispatch {

class Capture {
public:
    explicit Capture(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    void add(OutputStream stream, ByteView bytes);
    // Ends the input and moves text, runs, total and truncation into the row. Call once.
    void finish(Row& row);
    std::uint64_t total_bytes() const { return total_bytes_; }

private:
    void close_run();

    const std::size_t max_bytes_;
    std::uint64_t total_bytes_ = 0;
    bool overflow_ = false;
    OutputStream current_ = OutputStream::out;
    Utf8Sanitizer sanitizer_;
    std::string text_;
    std::vector<OutputRun> runs_;
};

}  // namespace drover::dispatch
