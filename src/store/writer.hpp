// The one thread that writes to a database, with group commit: everything that waits goes into one transaction and one fsync.
//
// Threads: submit() from any thread; writes and completions run on the writer's own thread, in the order of submitting, so a
// completion must not block. A completion comes after the commit is on disk. Ownership: the writer owns the connection.
// Failure: when a write of a batch fails, all is rolled back and each is tried alone, so that one bad write cannot take others
// with it; a write that fails alone completes with its error. When the database itself cannot (locked, full, gone), the whole batch
// has that error at once: each alone would wait for the lock again. The destructor writes what is queued, then ends.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "store/sqlite.hpp"

namespace drover::store {

class Writer {
public:
    static constexpr std::size_t kBatchMax = 512;       // writes in one transaction
    static constexpr std::size_t kQueuedMax = 100'000;  // writes waiting; past it new ones are refused at once

    using Write = std::function<Result<void>(Database&)>;
    using Done = std::function<void(Result<void>)>;

    explicit Writer(Database db);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    void submit(Write write, Done done);
    std::size_t queued() const;

private:
    struct Item {
        Write write;
        Done done;
    };
    void loop();
    void commit(std::deque<Item>& batch);
    enum class Blame { nobody, a_write, database };
    struct Outcome {
        Result<void> result;
        Blame blame = Blame::nobody;
    };
    Outcome transaction(std::deque<Item>::iterator begin, std::deque<Item>::iterator end);

    Database db_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Item> queue_;
    bool ending_ = false;
    std::thread thread_;  // last: uses all of the above
};

}  // namespace drover::store
