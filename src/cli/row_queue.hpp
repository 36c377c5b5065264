// Hands rows from the loops to the thread that prints.
//
// Threads: on_row(), on_done() and wake() from any thread, and they only append under a short lock; take() from one thread.
// Ownership: the queue outlives the call that feeds it. Its size is bounded by the number of targets.
#pragma once
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "drover/fleet.hpp"

namespace drover::cli {

class RowQueue final : public RowSink {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    struct Batch {
        std::vector<Row> rows;
        bool done = false;  // these were the last
    };

    void on_row(Row row) override;
    void on_done() override;
    void wake();  // lets take() return although nothing has come

    // What has come since the last take(); waits for something until `until`, or for ever.
    Batch take(std::optional<TimePoint> until);

private:
    bool something() const { return !rows_.empty() || done_ || woken_; }
    template <class F>
    void change(F&& f);

    std::mutex mutex_;
    std::condition_variable came_;
    std::vector<Row> rows_;
    bool done_ = false;
    bool woken_ = false;
};

}  // namespace drover::cli
