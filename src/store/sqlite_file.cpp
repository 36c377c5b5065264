#include "store/sqlite_file.hpp"

#include "store/lock.hpp"
#include "store/schema.hpp"

namespace drover::store {
namespace {

Result<Database> open_writer(const std::filesystem::path& file) {
    auto db = Database::open(file, Database::Mode::read_write);
    if (!db) return db;
    if (auto set = db->execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
        !set) {
        return tl::unexpected(set.error());
    }
    if (auto migrated = migrate(*db); !migrated) return tl::unexpected(migrated.error());
    return db;
}

}  // namespace

Result<std::shared_ptr<SqliteFile>> SqliteFile::open(const std::filesystem::path& file) {
    // Two processes that run the same queued jobs would break "nothing runs twice".
    const auto lock = take_lock(file);
    if (!lock) return tl::unexpected(lock.error());
    auto db = open_writer(file);
    if (!db) {
        release_lock(*lock);
        return tl::unexpected(db.error());
    }
    return std::shared_ptr<SqliteFile>(new SqliteFile(file, std::move(*db), *lock));
}

SqliteFile::SqliteFile(std::filesystem::path file, Database writer, int lock)
    : file_(std::move(file)), lock_(lock), writer_(std::make_unique<Writer>(std::move(writer))) {}

SqliteFile::~SqliteFile() {
    // The writer is the last to close its connection: only it can fold the log back into the file.
    readers_.clear();
    writer_.reset();
    release_lock(lock_);
}

Result<Database> SqliteFile::take_reader() {
    {
        const std::lock_guard lock(mutex_);
        if (!readers_.empty()) {
            auto db = std::move(readers_.back());
            readers_.pop_back();
            return db;
        }
    }
    return Database::open(file_, Database::Mode::read_only);
}

void SqliteFile::keep_reader(Database db) {
    const std::lock_guard lock(mutex_);
    if (readers_.size() < kReadersKept) readers_.push_back(std::move(db));
}

}  // namespace drover::store
