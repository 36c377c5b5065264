// SQLite's C interface as values: a connection, and a prepared statement on it. What was compiled once is kept for the next time.
//
// Threads: a Database and its statements belong to one thread at a time. Ownership: a Database outlives its statements.
// Failure: Result with Code::store_failed and SQLite's own words; nothing throws. Texts and blobs are copied on both ways.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "drover/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace drover::store {

class Database;
struct StatementCache;

class Statement {
public:
    Statement(Statement&& o) noexcept;
    ~Statement();
    Statement& operator=(Statement&&) = delete;

    // Parameters count from 1, in the order of binding.
    Statement& bind(std::int64_t value);
    Statement& bind(std::string_view text);
    Statement& bind_null();
    Statement& bind(std::optional<std::int64_t> value);

    Result<bool> step();  // true: a row is there
    Result<void> run();   // to the end, and ready to be bound again
    void reset();

    std::int64_t integer(int column) const;
    std::string text(int column) const;
    bool is_null(int column) const;

private:
    friend class Database;
    Statement(StatementCache& cache, sqlite3* db, sqlite3_stmt* stmt) : cache_(cache), db_(db), stmt_(stmt) {}
    void note(int rc);

    StatementCache& cache_;  // of the Database; takes stmt_ back
    sqlite3* db_;
    sqlite3_stmt* stmt_;
    int next_ = 1;
    int bind_error_ = 0;
};

class Database {
public:
    enum class Mode : std::uint8_t { read_write, read_only };
    static constexpr int kBusyTimeoutMs = 5'000;
    static constexpr std::size_t kStatementsKept = 64;  // compiled and not in use; drover has fewer texts than that

    // Creates the file (0600) in read_write mode when there is none.
    static Result<Database> open(const std::filesystem::path& file, Mode mode);
    Database(Database&& o) noexcept;
    ~Database();
    Database& operator=(Database&&) = delete;

    Result<void> execute(const std::string& sql);     // one or more statements without parameters
    Result<Statement> prepare(std::string_view sql);  // one statement
    std::int64_t changes() const;                     // rows the last statement changed
    Error error(std::string_view doing) const;

private:
    explicit Database(sqlite3* db);
    sqlite3* db_;
    std::unique_ptr<StatementCache> cache_;
};

}  // namespace drover::store
