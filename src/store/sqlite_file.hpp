// The database file that the stores of one process share: the lock that keeps other processes away, the one writer, and the
// connections of readers.
//
// Threads: write() and read() from any; read() blocks on the disk and is not for loops. Ownership: whoever uses the file holds it
// by shared_ptr; the last one to let go closes it. Failure: Code::store_failed.
#pragma once
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "store/writer.hpp"

namespace drover::store {

class SqliteFile {
public:
    static constexpr std::size_t kReadersKept = 8;  // idle connections

    // The file's folder must exist. WAL, synchronous=FULL, the current schema. Refused while another process has it open.
    static Result<std::shared_ptr<SqliteFile>> open(const std::filesystem::path& file);
    ~SqliteFile();
    SqliteFile(const SqliteFile&) = delete;
    SqliteFile& operator=(const SqliteFile&) = delete;

    void write(Writer::Write write, Writer::Done done) { writer_->submit(std::move(write), std::move(done)); }
    std::size_t writes_queued() const { return writer_->queued(); }

    // f(Database&) gives a Result; it sees what is committed.
    template <class F>
    auto read(F&& f) -> decltype(f(std::declval<Database&>())) {
        auto db = take_reader();
        if (!db) return tl::unexpected(db.error());
        auto result = f(*db);
        if (result) keep_reader(std::move(*db));
        return result;
    }

private:
    SqliteFile(std::filesystem::path file, Database writer, int lock);
    Result<Database> take_reader();
    void keep_reader(Database db);

    const std::filesystem::path file_;
    const int lock_;  // descriptor that holds the file's lock
    std::mutex mutex_;
    std::vector<Database> readers_;
    std::unique_ptr<Writer> writer_;
};

}  // namespace drover::store
