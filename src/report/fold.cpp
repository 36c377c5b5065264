#include "report/fold.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "base/counted.hpp"
#include "base/id_ranges.hpp"
#include "report/failure.hpp"
#include "report/printable.hpp"

namespace drover::report {
namespace {

constexpr std::size_t kOwnMessagesMax = 3;  // lines below a failed group whose phones say different things
constexpr std::string_view kRule = "---------------\n";

using Group = std::vector<const Row*>;

// Phones of the old shell protocol end their lines with CRLF: the same text as others say with LF.
std::string with_plain_line_ends(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool before_lf = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
        if (!before_lf) out += text[i];
    }
    return out;
}

std::vector<Group> group(std::span<const Row> rows) {
    using Key = std::tuple<Code, int, std::string>;
    constexpr int kNoExitCode = -1;  // exit codes of phones are 0..255
    std::map<Key, std::size_t> at;
    std::vector<Group> groups;
    for (const auto& row : rows) {
        Key key{row.code, row.exit_code.value_or(kNoExitCode), with_plain_line_ends(row.execute_msg)};
        const auto [it, fresh] = at.try_emplace(std::move(key), groups.size());
        if (fresh) groups.emplace_back();
        groups[it->second].push_back(&row);
    }
    std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.size() > b.size(); });
    return groups;
}

bool same_message(const Group& group) {
    return std::all_of(group.begin(), group.end(), [&](const Row* r) { return r->error_msg == group[0]->error_msg; });
}

std::string headline(const Group& group, const FoldStyle& style) {
    const Row& first = *group[0];
    std::vector<std::string> ids;
    for (const Row* row : group) ids.push_back(row->instance_id);
    auto text = fmt::format("{} ({})", compress_ids(ids), group.size());
    if (!first.ok()) text += "  " + (same_message(group) ? failure_line(first) : failure_title(first));
    if (!style.color) return text + "\n";
    return (first.ok() ? "\x1b[36m" : "\x1b[31m") + text + "\x1b[0m\n";
}

std::string own_messages(const Group& group) {
    if (group[0]->ok() || same_message(group)) return {};
    std::string text;
    for (std::size_t i = 0; i < std::min(group.size(), kOwnMessagesMax); ++i) {
        text += fmt::format("{}: {}\n", group[i]->instance_id, printable(group[i]->error_msg, Layout::escape));
    }
    if (group.size() > kOwnMessagesMax) text += fmt::format("(and {} more)\n", group.size() - kOwnMessagesMax);
    return text;
}

std::string cut_note(const Group& group) {
    if (std::none_of(group.begin(), group.end(), [](const Row* row) { return row->truncated; })) return {};
    if (group.size() == 1) return "(" + truncation_line(*group[0]) + ")\n";
    return fmt::format("(output cut: {} shown)\n", counted(group[0]->execute_msg.size(), "byte"));
}

}  // namespace

std::string fold(std::span<const Row> rows, const FoldStyle& style) {
    std::string text;
    for (const auto& members : group(rows)) {
        const Row& first = *members[0];
        text += kRule;
        text += headline(members, style);
        text += kRule;
        text += own_messages(members);
        const auto body =
            style.escape ? printable(with_plain_line_ends(first.execute_msg), Layout::keep) : first.execute_msg;
        text += body;
        if (!body.empty() && !body.ends_with('\n')) text += '\n';
        if (body.empty() && first.ok()) text += "(no output)\n";
        text += cut_note(members);
    }
    return text;
}

}  // namespace drover::report
