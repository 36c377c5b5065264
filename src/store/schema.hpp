// The tables of the task store and how older files become current ones. One thread (the one that opened the database).
#pragma once
#include <span>

#include "store/sqlite.hpp"

namespace drover::store {

constexpr int kSchemaVersion = 4;  // SQLite's user_version

// Brings the file to kSchemaVersion, one step at a time, each in its own transaction. A file of a newer drover is refused
// and not touched.
Result<void> migrate(Database& db);
// The same for a file of other tables: step i makes version i + 1 out of version i.
Result<void> migrate(Database& db, std::span<const char* const> steps);

}  // namespace drover::store
