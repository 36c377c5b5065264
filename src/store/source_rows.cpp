#include "store/source_rows.hpp"

#include <fmt/format.h>

namespace drover::store {
namespace {

constexpr std::string_view kColumns =
    "number, name, task_id, bucket, state, created_ms, delivered_ms, ended_ms, result, detail";

std::optional<std::string> optional_text(const Statement& s, int column) {
    return s.is_null(column) ? std::nullopt : std::optional(s.text(column));
}
std::optional<std::int64_t> optional_integer(const Statement& s, int column) {
    return s.is_null(column) ? std::nullopt : std::optional(s.integer(column));
}
Statement& bind_optional(Statement& s, const std::optional<std::string>& text) {
    return text ? s.bind(*text) : s.bind_null();
}

SourceCommand command_from(const Statement& s) {
    SourceCommand c;
    c.number = s.integer(0);
    c.name = s.text(1);
    c.task_id = optional_text(s, 2);
    c.bucket = optional_text(s, 3);
    c.state = static_cast<CommandState>(s.integer(4));
    c.created_ms = s.integer(5);
    c.delivered_ms = optional_integer(s, 6);
    c.ended_ms = optional_integer(s, 7);
    c.result = s.text(8);
    c.detail = s.text(9);
    return c;
}

Source source_from(const Statement& s) {
    Source source;
    source.server_id = s.text(0);
    source.tenant = s.text(1);
    source.created_ms = s.integer(2);
    source.polled_ms = optional_integer(s, 3);
    source.waiting = static_cast<std::uint64_t>(s.integer(4));
    source.delivered = static_cast<std::uint64_t>(s.integer(5));
    return source;
}

template <class T, class F>
Result<std::vector<T>> all_rows(Statement& s, F&& from) {
    std::vector<T> all;
    while (true) {
        const auto row = s.step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) return all;
        all.push_back(from(s));
    }
}

template <class T, class F>
Result<std::optional<T>> one_row(Statement& s, F&& from) {
    const auto row = s.step();
    if (!row) return tl::unexpected(row.error());
    return *row ? std::optional<T>(from(s)) : std::optional<T>();
}

Result<std::int64_t> count(Database& db, std::string_view sql, std::string_view server_id) {
    auto s = db.prepare(sql);
    if (!s) return tl::unexpected(s.error());
    if (!server_id.empty()) s->bind(server_id);
    const auto row = s->step();
    if (!row) return tl::unexpected(row.error());
    return s->integer(0);
}

// STOP and DELETE overtake all others, delivered ones too: they are for an agent that is busy with those.
Result<std::optional<SourceCommand>> select_head(Database& db, std::string_view server_id) {
    auto s =
        db.prepare(fmt::format("SELECT {} FROM source_commands WHERE server_id = ? AND state < 2 "
                               "ORDER BY name NOT IN ('STOP', 'DELETE'), number LIMIT 1",
                               kColumns));
    if (!s) return tl::unexpected(s.error());
    s->bind(server_id);
    return one_row<SourceCommand>(*s, command_from);
}

struct Last {
    std::string bytes;  // of the last accepted result
    bool pause = false;
    std::string name;  // of the command it ended; empty when that is forgotten
    std::optional<std::string> task_id;
    std::optional<std::int64_t> polled_ms;
};

Result<std::optional<Last>> select_last(Database& db, std::string_view server_id) {
    auto s = db.prepare(
        "SELECT s.last_result, s.pause, c.name, c.task_id, s.polled_ms FROM sources s "
        "LEFT JOIN source_commands c ON c.number = s.last_number WHERE s.server_id = ?");
    if (!s) return tl::unexpected(s.error());
    s->bind(server_id);
    return one_row<Last>(*s, [](const Statement& row) {
        Last last;
        last.bytes = row.text(0);
        last.pause = row.integer(1) != 0;
        last.name = row.text(2);
        last.task_id = optional_text(row, 3);
        last.polled_ms = optional_integer(row, 4);
        return last;
    });
}

Result<void> set_pause(Database& db, std::string_view server_id, bool pause) {
    auto s = db.prepare("UPDATE sources SET pause = ? WHERE server_id = ?");
    if (!s) return tl::unexpected(s.error());
    return s->bind(static_cast<std::int64_t>(pause)).bind(server_id).run();
}

Result<void> note_poll(Database& db, std::string_view server_id, std::int64_t now_ms) {
    auto s = db.prepare("UPDATE sources SET polled_ms = ? WHERE server_id = ?");
    if (!s) return tl::unexpected(s.error());
    return s->bind(now_ms).bind(server_id).run();
}

Result<void> mark_delivered(Database& db, std::int64_t number, std::int64_t now_ms) {
    auto s = db.prepare("UPDATE source_commands SET state = 1, delivered_ms = ? WHERE number = ? AND state = 0");
    if (!s) return tl::unexpected(s.error());
    return s->bind(now_ms).bind(number).run();
}

Result<std::optional<std::int64_t>> select_delivered(Database& db, std::string_view server_id,
                                                     const SourceResult& result) {
    auto s = db.prepare(
        "SELECT number FROM source_commands WHERE server_id = ?1 AND state = 1 AND name = ?2 "
        "AND (?3 IS NULL OR coalesce(task_id, '') = ?3) ORDER BY number LIMIT 1");
    if (!s) return tl::unexpected(s.error());
    s->bind(server_id).bind(result.name);
    bind_optional(*s, result.task_id);
    return one_row<std::int64_t>(*s, [](const Statement& row) { return row.integer(0); });
}

Result<void> end_command(Database& db, std::string_view server_id, std::int64_t number, const SourceResult& result,
                         std::int64_t now_ms) {
    auto command =
        db.prepare("UPDATE source_commands SET state = 2, ended_ms = ?, result = ?, detail = ? WHERE number = ?");
    if (!command) return tl::unexpected(command.error());
    command->bind(now_ms).bind(result.result).bind(result.detail).bind(number);
    if (auto r = command->run(); !r) return r;
    auto source = db.prepare("UPDATE sources SET last_result = ?, last_number = ?, pause = 0 WHERE server_id = ?");
    if (!source) return tl::unexpected(source.error());
    if (auto r = source->bind(result.bytes).bind(number).bind(server_id).run(); !r) return r;
    auto old = db.prepare(
        "DELETE FROM source_commands WHERE state = 2 AND number IN (SELECT number FROM source_commands WHERE "
        "server_id = ? AND state = 2 ORDER BY ended_ms DESC, number DESC LIMIT -1 OFFSET ?)");
    if (!old) return tl::unexpected(old.error());
    return old->bind(server_id).bind(static_cast<std::int64_t>(SourceStore::kResultsKept)).run();
}

}  // namespace

Result<SourceAdded> insert_source(Database& db, const Source& source) {
    const auto known = select_source(db, source.server_id);
    if (!known) return tl::unexpected(known.error());
    if (*known) return (*known)->tenant == source.tenant ? SourceAdded::known : SourceAdded::taken;
    const auto all = count(db, "SELECT count(*) FROM sources", "");
    if (!all) return tl::unexpected(all.error());
    if (*all >= static_cast<std::int64_t>(SourceStore::kSourcesMax)) return SourceAdded::full;
    auto s = db.prepare("INSERT INTO sources (server_id, tenant, created_ms) VALUES (?,?,?)");
    if (!s) return tl::unexpected(s.error());
    if (auto r = s->bind(source.server_id).bind(source.tenant).bind(source.created_ms).run(); !r)
        return tl::unexpected(r.error());
    return SourceAdded::added;
}

Result<std::pair<CommandAdded, std::int64_t>> insert_command(Database& db, std::string_view server_id,
                                                             const SourceCommand& command) {
    auto equal = db.prepare(
        "SELECT number FROM source_commands WHERE server_id = ? AND state = 0 AND name = ? AND task_id IS ? AND "
        "bucket IS ?");
    if (!equal) return tl::unexpected(equal.error());
    bind_optional(bind_optional(equal->bind(server_id).bind(command.name), command.task_id), command.bucket);
    const auto waiting = one_row<std::int64_t>(*equal, [](const Statement& row) { return row.integer(0); });
    if (!waiting) return tl::unexpected(waiting.error());
    if (*waiting) return std::pair(CommandAdded::merged, **waiting);
    const auto open = count(db, "SELECT count(*) FROM source_commands WHERE server_id = ? AND state < 2", server_id);
    if (!open) return tl::unexpected(open.error());
    if (*open >= static_cast<std::int64_t>(SourceStore::kOpenCommandsMax))
        return std::pair(CommandAdded::full, std::int64_t{0});
    auto s = db.prepare(
        "INSERT INTO source_commands (server_id, name, task_id, bucket, created_ms) VALUES (?,?,?,?,?) "
        "RETURNING number");
    if (!s) return tl::unexpected(s.error());
    bind_optional(bind_optional(s->bind(server_id).bind(command.name), command.task_id), command.bucket);
    s->bind(command.created_ms);
    const auto number = one_row<std::int64_t>(*s, [](const Statement& row) { return row.integer(0); });
    if (!number) return tl::unexpected(number.error());
    if (auto r = s->run(); !r) return tl::unexpected(r.error());
    return std::pair(CommandAdded::added, number->value_or(0));
}

Result<std::optional<SourceCommand>> take_command(Database& db, std::string_view server_id, std::int64_t now_ms) {
    const auto last = select_last(db, server_id);
    if (!last) return tl::unexpected(last.error());
    if (!*last) return std::optional<SourceCommand>();
    if (!(*last)->polled_ms || now_ms - *(*last)->polled_ms >= SourceStore::kPolledStepMs) {
        if (auto r = note_poll(db, server_id, now_ms); !r) return tl::unexpected(r.error());
    }
    auto head = select_head(db, server_id);
    if (!head) return head;
    if ((*last)->pause) {
        if (auto r = set_pause(db, server_id, false); !r) return tl::unexpected(r.error());
        if (*head && (*head)->name == (*last)->name && (*head)->task_id == (*last)->task_id)
            return std::optional<SourceCommand>();
    }
    if (*head && (*head)->state == CommandState::waiting) {
        if (auto r = mark_delivered(db, (*head)->number, now_ms); !r) return tl::unexpected(r.error());
        (*head)->state = CommandState::delivered;
        (*head)->delivered_ms = now_ms;
    }
    return head;
}

Result<ResultTaken> take_result(Database& db, std::string_view server_id, const SourceResult& result,
                                std::int64_t now_ms) {
    const auto last = select_last(db, server_id);
    if (!last) return tl::unexpected(last.error());
    if (!*last) return ResultTaken::unmatched;
    if (!(*last)->bytes.empty() && (*last)->bytes == result.bytes) {
        // An agent that takes a new equal command for a repetition of the old one answers with the old result, again and again.
        // One answer without a command lets it forget the old one.
        if (auto r = set_pause(db, server_id, true); !r) return tl::unexpected(r.error());
        return ResultTaken::repeated;
    }
    const auto number = select_delivered(db, server_id, result);
    if (!number) return tl::unexpected(number.error());
    if (!*number) return ResultTaken::unmatched;
    if (auto r = end_command(db, server_id, **number, result, now_ms); !r) return tl::unexpected(r.error());
    return ResultTaken::accepted;
}

namespace {
constexpr std::string_view kSourceColumns =
    "server_id, tenant, created_ms, polled_ms, "
    "(SELECT count(*) FROM source_commands c WHERE c.server_id = sources.server_id AND state = 0), "
    "(SELECT count(*) FROM source_commands c WHERE c.server_id = sources.server_id AND state = 1)";
}

Result<std::optional<Source>> select_source(Database& db, std::string_view server_id) {
    auto s = db.prepare(fmt::format("SELECT {} FROM sources WHERE server_id = ?", kSourceColumns));
    if (!s) return tl::unexpected(s.error());
    s->bind(server_id);
    return one_row<Source>(*s, source_from);
}

Result<std::vector<Source>> select_sources(Database& db, std::string_view tenant, std::size_t max) {
    auto s = db.prepare(
        fmt::format("SELECT {} FROM sources WHERE ?1 = '' OR tenant = ?1 ORDER BY server_id LIMIT ?2", kSourceColumns));
    if (!s) return tl::unexpected(s.error());
    s->bind(tenant).bind(static_cast<std::int64_t>(max));
    return all_rows<Source>(*s, source_from);
}

Result<std::vector<SourceCommand>> select_commands(Database& db, std::string_view server_id, std::size_t max) {
    auto s = db.prepare(
        fmt::format("SELECT {} FROM source_commands WHERE server_id = ? ORDER BY number DESC LIMIT ?", kColumns));
    if (!s) return tl::unexpected(s.error());
    s->bind(server_id).bind(static_cast<std::int64_t>(max));
    return all_rows<SourceCommand>(*s, command_from);
}

}  // namespace drover::store
