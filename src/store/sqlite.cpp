#include "store/sqlite.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace drover::store {

// Compiling takes several times as long as running: an UPDATE of a row by its key is otherwise mostly SQL parsing.
struct StatementCache {
    std::unordered_map<std::string, sqlite3_stmt*> idle;  // by their text

    ~StatementCache() {
        for (const auto& [sql, stmt] : idle) sqlite3_finalize(stmt);
    }
    sqlite3_stmt* take(const std::string& sql) {
        const auto it = idle.find(sql);
        return it == idle.end() ? nullptr : std::exchange(it->second, nullptr);
    }
    void give_back(sqlite3_stmt* stmt) {
        const char* const sql = sqlite3_sql(stmt);
        const auto it = sql ? idle.find(sql) : idle.end();
        const bool wanted = it != idle.end() && !it->second;
        if (!wanted) return void(sqlite3_finalize(stmt));
        it->second = stmt;
    }
};

namespace {

// SQLite's counters of its own memory, which nobody reads, take a mutex with every allocation.
void set_up_sqlite() {
    static std::once_flag once;
    std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

Error error_of(sqlite3* db, std::string_view doing) {
    return Error(Code::store_failed, fmt::format("{}: {}", doing, db ? sqlite3_errmsg(db) : "out of memory"));
}

// SQLite would create the file with the usual mode; commands and their output are nobody else's business.
Result<void> create_private(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return fail(Code::store_failed, fmt::format("{}: {}", file.string(), std::strerror(errno)));
    ::close(fd);
    return {};
}

}  // namespace

Statement::Statement(Statement&& o) noexcept
    : cache_(o.cache_),
      db_(o.db_),
      stmt_(std::exchange(o.stmt_, nullptr)),
      next_(o.next_),
      bind_error_(o.bind_error_) {}

Statement::~Statement() {
    if (!stmt_) return;
    reset();  // ends its transaction, as finalizing would
    cache_.give_back(stmt_);
}

void Statement::note(int rc) {
    if (rc != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = rc;
}

Statement& Statement::bind(std::int64_t value) {
    note(sqlite3_bind_int64(stmt_, next_++, value));
    return *this;
}

Statement& Statement::bind(std::string_view text) {
    // An empty view may have no address, which SQLite would take for NULL.
    const char* bytes = text.data() ? text.data() : "";
    note(sqlite3_bind_text64(stmt_, next_++, bytes, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
    return *this;
}

Statement& Statement::bind_null() {
    note(sqlite3_bind_null(stmt_, next_++));
    return *this;
}

Statement& Statement::bind(std::optional<std::int64_t> value) { return value ? bind(*value) : bind_null(); }

Result<bool> Statement::step() {
    if (bind_error_ != SQLITE_OK) {
        return fail(Code::store_failed, fmt::format("bind: {}", sqlite3_errstr(bind_error_)));
    }
    const int rc = sqlite3_step(stmt_);
    if (rc == SQLITE_ROW) return true;
    if (rc == SQLITE_DONE) return false;
    auto failed = error_of(db_, "statement");
    reset();
    return tl::unexpected(std::move(failed));
}

Result<void> Statement::run() {
    while (true) {
        const auto row = step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) break;
    }
    reset();
    return {};
}

void Statement::reset() {
    sqlite3_reset(stmt_);
    sqlite3_clear_bindings(stmt_);
    next_ = 1;
    bind_error_ = SQLITE_OK;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(stmt_, column); }

std::string Statement::text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(stmt_, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(stmt_, column));
    return bytes ? std::string(bytes, size) : std::string();
}

bool Statement::is_null(int column) const { return sqlite3_column_type(stmt_, column) == SQLITE_NULL; }

Result<Database> Database::open(const std::filesystem::path& file, Mode mode) {
    set_up_sqlite();
    if (mode == Mode::read_write) {
        if (auto made = create_private(file); !made) return tl::unexpected(made.error());
    }
    const int flags = (mode == Mode::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
    sqlite3* raw = nullptr;
    const int rc = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
    Database db(raw);
    if (rc != SQLITE_OK) return tl::unexpected(db.error(file.string()));
    sqlite3_busy_timeout(raw, kBusyTimeoutMs);
    sqlite3_extended_result_codes(raw, 1);
    return db;
}

Database::Database(sqlite3* db) : db_(db), cache_(std::make_unique<StatementCache>()) {}
Database::Database(Database&& o) noexcept : db_(std::exchange(o.db_, nullptr)), cache_(std::move(o.cache_)) {}
Database::~Database() {
    cache_.reset();
    sqlite3_close_v2(db_);
}

Result<void> Database::execute(const std::string& sql) {
    if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        return tl::unexpected(error_of(db_, sql.substr(0, sql.find_first_of(";\n("))));
    }
    return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
    const std::string text(sql);
    if (auto* const kept = cache_->take(text)) return Statement(*cache_, db_, kept);
    sqlite3_stmt* stmt = nullptr;
    const int rc =
        sqlite3_prepare_v3(db_, text.c_str(), static_cast<int>(text.size()), SQLITE_PREPARE_PERSISTENT, &stmt, nullptr);
    if (rc != SQLITE_OK) return tl::unexpected(error_of(db_, "prepare"));
    if (cache_->idle.size() < kStatementsKept) cache_->idle.try_emplace(text, nullptr);
    return Statement(*cache_, db_, stmt);
}

std::int64_t Database::changes() const { return sqlite3_changes64(db_); }
Error Database::error(std::string_view doing) const { return error_of(db_, doing); }

}  // namespace drover::store
