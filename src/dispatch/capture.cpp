#include "dispatch/capture.hpp"

#include <algorithm>

namespace drover::dispatch {

void Capture::add(OutputStream stream, ByteView bytes) {
    total_bytes_ += bytes.size();
    if (text_.size() > max_bytes_) {
        overflow_ = overflow_ || !bytes.empty();
        return;
    }
    if (stream != current_) {
        close_run();
        current_ = stream;
    }
    // Up to three bytes may wait in the sanitizer; with four more than fit, the text is past the limit for sure.
    const std::size_t room = max_bytes_ - text_.size() + 4;
    if (bytes.size() > room) overflow_ = true;
    sanitizer_.feed(bytes.first(std::min(bytes.size(), room)), text_);
}

void Capture::close_run() {
    const auto end = static_cast<std::uint32_t>(text_.size());
    const std::uint32_t begin = runs_.empty() ? 0 : runs_.back().end;
    if (end == begin) return;
    if (!runs_.empty() && runs_.back().stream == current_) {
        runs_.back().end = end;
    } else {
        runs_.push_back({current_, end});
    }
}

void Capture::finish(Row& row) {
    sanitizer_.finish(text_);
    close_run();
    const std::size_t keep = utf8_floor(text_, max_bytes_);
    row.truncated = overflow_ || keep < text_.size();
    text_.resize(keep);
    while (!runs_.empty() && runs_.back().end > keep) {
        const std::uint32_t begin = runs_.size() > 1 ? runs_[runs_.size() - 2].end : 0;
        if (begin < keep) {
            runs_.back().end = static_cast<std::uint32_t>(keep);
        } else {
            runs_.pop_back();
        }
    }
    row.execute_msg = std::move(text_);
    row.runs = std::move(runs_);
    row.output_bytes = total_bytes_;
}

}  // namespace drover::dispatch
