// The SQL of the source store: each function is one change or one question, inside the caller's transaction.
// Threads and failure: as Database.
#pragma once
#include "store/source_store.hpp"

namespace drover::store {

Result<SourceAdded> insert_source(Database& db, const Source& source);
Result<std::pair<CommandAdded, std::int64_t>> insert_command(Database& db, std::string_view server_id,
                                                             const SourceCommand& command);
Result<std::optional<SourceCommand>> take_command(Database& db, std::string_view server_id, std::int64_t now_ms);
Result<ResultTaken> take_result(Database& db, std::string_view server_id, const SourceResult& result,
                                std::int64_t now_ms);

Result<std::optional<Source>> select_source(Database& db, std::string_view server_id);
Result<std::vector<Source>> select_sources(Database& db, std::string_view tenant, std::size_t max);
Result<std::vector<SourceCommand>> select_commands(Database& db, std::string_view server_id, std::size_t max);

}  // namespace drover::store
