#include "store/source_store.hpp"

#include "store/source_rows.hpp"

namespace drover::store {
namespace {

// Runs `change` in the writer and hands on what it gave, once that is on disk. A change may run twice: after a failed batch it
// is tried alone.
template <class T, class F>
void write(SqliteFile& file, F change, SourceStore::Done<T> done) {
    auto value = std::make_shared<std::optional<T>>();
    file.write(
        [value, change = std::move(change)](Database& db) -> Result<void> {
            auto made = change(db);
            if (!made) return tl::unexpected(made.error());
            *value = std::move(*made);
            return {};
        },
        [value, done = std::move(done)](const Result<void>& r) {
            if (!r) return done(tl::unexpected(r.error()));
            done(std::move(**value));
        });
}

}  // namespace

void SourceStore::add(Source source, Done<SourceAdded> done) {
    write<SourceAdded>(
        *file_, [source = std::move(source)](Database& db) { return insert_source(db, source); }, std::move(done));
}

void SourceStore::enqueue(std::string server_id, SourceCommand command,
                          Done<std::pair<CommandAdded, std::int64_t>> done) {
    write<std::pair<CommandAdded, std::int64_t>>(
        *file_,
        [id = std::move(server_id), command = std::move(command)](Database& db) {
            return insert_command(db, id, command);
        },
        std::move(done));
}

void SourceStore::take(std::string server_id, std::int64_t now_ms, Done<std::optional<SourceCommand>> done) {
    write<std::optional<SourceCommand>>(
        *file_, [id = std::move(server_id), now_ms](Database& db) { return take_command(db, id, now_ms); },
        std::move(done));
}

void SourceStore::accept(std::string server_id, SourceResult result, std::int64_t now_ms, Done<ResultTaken> done) {
    write<ResultTaken>(
        *file_,
        [id = std::move(server_id), result = std::move(result), now_ms](Database& db) {
            return take_result(db, id, result, now_ms);
        },
        std::move(done));
}

Result<std::optional<Source>> SourceStore::find(std::string_view server_id) {
    return file_->read([&](Database& db) { return select_source(db, server_id); });
}

Result<std::vector<Source>> SourceStore::list(std::string_view tenant) {
    return file_->read([&](Database& db) { return select_sources(db, tenant, kSourcesMax); });
}

Result<std::vector<SourceCommand>> SourceStore::commands(std::string_view server_id, std::size_t max) {
    return file_->read([&](Database& db) { return select_commands(db, server_id, std::min(max, kListMax)); });
}

}  // namespace drover::store
