#include "store/writer.hpp"

#include <iterator>

namespace drover::store {

Writer::Writer(Database db) : db_(std::move(db)), thread_([this] { loop(); }) {}

Writer::~Writer() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Writer::submit(Write write, Done done) {
    {
        const std::lock_guard lock(mutex_);
        if (queue_.size() < kQueuedMax) {
            queue_.push_back({std::move(write), std::move(done)});
            wake_.notify_one();
            return;
        }
    }
    done(fail(Code::store_failed, "too many writes are waiting for the disk"));
}

std::size_t Writer::queued() const {
    const std::lock_guard lock(mutex_);
    return queue_.size();
}

void Writer::loop() {
    while (true) {
        std::deque<Item> batch;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
            if (queue_.empty()) return;
            const auto n = std::min(queue_.size(), kBatchMax);
            const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(n);
            batch.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
            queue_.erase(queue_.begin(), end);
        }
        commit(batch);
    }
}

void Writer::commit(std::deque<Item>& batch) {
    const auto all = transaction(batch.begin(), batch.end());
    if (all.blame != Blame::a_write || batch.size() == 1) {
        for (auto& item : batch) item.done(all.result);
        return;
    }
    for (auto it = batch.begin(); it != batch.end(); ++it) it->done(transaction(it, std::next(it)).result);
}

Writer::Outcome Writer::transaction(std::deque<Item>::iterator begin, std::deque<Item>::iterator end) {
    if (auto started = db_.execute("BEGIN IMMEDIATE"); !started) return {started, Blame::database};
    for (auto it = begin; it != end; ++it) {
        if (auto written = it->write(db_); !written) {
            (void)db_.execute("ROLLBACK");
            return {written, Blame::a_write};
        }
    }
    auto committed = db_.execute("COMMIT");
    if (committed) return {};
    (void)db_.execute("ROLLBACK");  // no-op where SQLite has rolled back by itself
    return {committed, Blame::database};
}

}  // namespace drover::store
