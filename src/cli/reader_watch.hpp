// Notices that nobody reads stdout any more (a pipe whose other end is closed) although nothing is written to it.
//
// Threads: `gone` is called once, on a thread of its own. Make it after what watches for signals: threads inherit blocked ones.
// Ownership: what `gone` uses outlives it. Failure: what is no pipe or socket is never gone.
#pragma once
#include <atomic>
#include <functional>
#include <thread>

#include "base/unique_fd.hpp"

namespace drover::cli {

class ReaderWatch {
public:
    explicit ReaderWatch(std::function<void()> gone);
    ~ReaderWatch();
    ReaderWatch(const ReaderWatch&) = delete;
    ReaderWatch& operator=(const ReaderWatch&) = delete;
    bool gone() const { return gone_; }

private:
    void loop();

    const std::function<void()> on_gone_;
    const UniqueFd end_;
    std::atomic<bool> gone_ = false;
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace drover::cli
