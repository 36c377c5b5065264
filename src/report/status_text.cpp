#include "report/status_text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/json_view.hpp"
#include "report/phone_json.hpp"
#include "report/printable.hpp"

namespace drover::report {
namespace {

namespace json = boost::json;

// RFC 3339, UTC, milliseconds.
std::string time_text(std::chrono::system_clock::time_point t) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(ms / 1000)), ms % 1000);
}

}  // namespace

json::object state_object(const PhoneStatus& s) {
    const auto word = status_word(s.status);
    json::object o;
    o["status"] = s.status;
    o["status_text"] = json_view(word);
    o["activity"] = s.activity;
    o["adb_state"] = s.adb_state;
    o["condition"] = s.condition;
    o["why"] = s.why;
    o["since"] = time_text(s.since);
    o["held_by"] = s.held_by;
    return o;
}

json::object status_object(const StatusLine& line) {
    json::object o;
    o["instance_id"] = line.instance_id;
    for (auto& member : state_object(line.status)) o.insert(member);
    return o;
}

std::string_view status_word(int status) {
    constexpr std::array<std::string_view, 6> kWords{"unknown",  "stopped",  "running", "being brought offline",
                                                     "starting", "shut down"};
    return status >= 0 && static_cast<std::size_t>(status) < kWords.size() ? kWords[static_cast<std::size_t>(status)]
                                                                           : "unknown";
}

std::string status_table(std::span<const StatusLine> lines) {
    constexpr std::size_t kColumns = 5;
    std::vector<std::array<std::string, kColumns>> cells{{"ID", "STATUS", "CONDITION", "SINCE", "WHY"}};
    for (const auto& line : lines) {
        const PhoneStatus& s = line.status;
        cells.push_back({line.instance_id, fmt::format("{} {}", s.status, status_word(s.status)), s.condition,
                         time_text(s.since), printable(with_holder(s.why, s.held_by), Layout::escape)});
    }
    std::array<std::size_t, kColumns> width{};
    for (const auto& row : cells) {
        for (std::size_t i = 0; i < kColumns; ++i) width[i] = std::max(width[i], row[i].size());
    }
    std::string text;
    for (const auto& row : cells) {
        std::string out;
        for (std::size_t i = 0; i < kColumns; ++i) out += fmt::format("{:<{}}  ", row[i], width[i]);
        out.erase(out.find_last_not_of(' ') + 1);
        text += out + "\n";
    }
    return text;
}

std::string status_change(const StatusLine& line) {
    const PhoneStatus& s = line.status;
    return fmt::format("{} {}: {} {} ({}): {}\n", time_text(s.since), line.instance_id, s.status, status_word(s.status),
                       s.condition, printable(with_holder(s.why, s.held_by), Layout::escape));
}

std::string status_json(const StatusLine& line) { return json::serialize(status_object(line)); }

std::string status_document(std::span<const StatusLine> lines, std::span<const std::vector<PhoneStatus>> histories) {
    json::array phones;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        json::object phone = status_object(lines[i]);
        if (i < histories.size()) {
            json::array history;
            for (const auto& s : histories[i]) history.push_back(state_object(s));
            phone["history"] = std::move(history);
        }
        phones.push_back(std::move(phone));
    }
    json::object document;
    document["schema"] = 1;
    document["phones"] = std::move(phones);
    return json::serialize(document) + "\n";
}

}  // namespace drover::report
