#include "cli/row_queue.hpp"

#include <utility>

namespace drover::cli {

// The reader is woken only when it may be asleep: once for a burst of rows, not once for each.
template <class F>
void RowQueue::change(F&& f) {
    bool was_empty = false;
    {
        const std::lock_guard lock(mutex_);
        was_empty = !something();
        f();
    }
    if (was_empty) came_.notify_one();
}

void RowQueue::on_row(Row row) {
    change([&] { rows_.push_back(std::move(row)); });
}

void RowQueue::on_done() {
    // Under the lock to the end: the reader may destroy the queue as soon as it has seen `done_`.
    const std::lock_guard lock(mutex_);
    done_ = true;
    came_.notify_one();
}

void RowQueue::wake() {
    change([&] { woken_ = true; });
}

RowQueue::Batch RowQueue::take(std::optional<TimePoint> until) {
    std::unique_lock lock(mutex_);
    if (until) {
        came_.wait_until(lock, *until, [this] { return something(); });
    } else {
        came_.wait(lock, [this] { return something(); });
    }
    woken_ = false;
    return {std::exchange(rows_, {}), done_};
}

}  // namespace drover::cli
