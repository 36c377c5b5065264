// What SQLite itself takes: the rows of asynchronous tasks in drover's tables, inserted in batches with one commit each, WAL and
// synchronous=FULL, and nothing else.
//
//   bench_sqlite FILE TASKS JOBS BATCH     TASKS tasks of JOBS jobs, BATCH tasks a commit; prints one line of JSON
#include <fmt/format.h>
#include <sqlite3.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "meter.hpp"
#include "store/schema.hpp"
#include "store/sqlite.hpp"

namespace {

sqlite3* db = nullptr;

void check(int code, int wanted) {
    if (code == wanted) return;
    fmt::print(stderr, "bench_sqlite: {}\n", sqlite3_errmsg(db));
    std::exit(1);
}

void execute(const char* sql) { check(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK); }

sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(db, sql, -1, &statement, nullptr), SQLITE_OK);
    return statement;
}

void bind_text(sqlite3_stmt* statement, int at, const std::string& text) {
    check(sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT), SQLITE_OK);
}

void step(sqlite3_stmt* statement) {
    check(sqlite3_step(statement), SQLITE_DONE);
    check(sqlite3_reset(statement), SQLITE_OK);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    const int tasks = std::atoi(argv[2]), jobs = std::atoi(argv[3]), batch = std::atoi(argv[4]);
    {
        // The tables as drover has them, made by drover.
        auto made = drover::store::Database::open(argv[1], drover::store::Database::Mode::read_write);
        if (!made || !drover::store::migrate(*made)) return 1;
    }
    check(sqlite3_open(argv[1], &db), SQLITE_OK);
    execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    auto* task = prepare(
        "INSERT INTO tasks (task_id, tenant, command, timeout_ms, max_output_bytes, created_ms) "
        "VALUES (?,'bench','true',600000,1024,1)");
    auto* job = prepare("INSERT INTO jobs (task_id, position, job_id, instance_id, state) VALUES (?,?,?,?,0)");
    const auto began = drover::bench::monotonic_ns();
    for (int i = 0; i < tasks; ++i) {
        if (i % batch == 0) execute("BEGIN");
        // Ids as random as drover's: their order decides what an index costs.
        const auto id = fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15u, i);
        bind_text(task, 1, id);
        step(task);
        for (int j = 0; j < jobs; ++j) {
            bind_text(job, 1, id);
            check(sqlite3_bind_int(job, 2, j), SQLITE_OK);
            bind_text(job, 3, id);
            bind_text(job, 4, fmt::format("vphone-{:04}", j));
            step(job);
        }
        if ((i + 1) % batch == 0 || i + 1 == tasks) execute("COMMIT");
    }
    const auto wall_us = static_cast<double>(drover::bench::monotonic_ns() - began) / 1e3;
    fmt::print(R"({{"jobs":{},"wall_us":{:.1f}}})"
               "\n",
               tasks * jobs, wall_us);
    return 0;
}
