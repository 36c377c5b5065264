#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cli/herd.hpp"
#include "cli/json_choice.hpp"
#include "cli/terminal.hpp"
#include "drover/command.hpp"
#include "report/phone_json.hpp"
#include "report/printable.hpp"

namespace drover::cli {
namespace {

namespace json = boost::json;

struct DevicesArguments {
    std::string selector;
    std::chrono::milliseconds connect = Limits{}.connect;
};

std::string json_text(const std::vector<PhoneInfo>& phones, OutputMode mode) {
    std::string lines;
    json::array all;
    for (const auto& phone : phones) {
        if (mode == OutputMode::jsonl) {
            lines += json::serialize(report::phone_object(phone)) + "\n";
        } else {
            all.push_back(report::phone_object(phone));
        }
    }
    if (mode == OutputMode::jsonl) return lines;
    json::object document;
    document["schema"] = 1;
    document["devices"] = std::move(all);
    return json::serialize(document) + "\n";
}

// What phones and servers say of themselves goes through printable(): a model name cannot move the cursor.
std::string table_text(const std::vector<PhoneInfo>& phones) {
    constexpr std::size_t kColumns = 6;
    using Line = std::array<std::string, kColumns>;
    std::vector<Line> lines{{"ID", "VIA", "ADDRESS", "STATE", "MODEL", "WHY"}};
    for (const auto& phone : phones) {
        const auto state = phone.instance.disabled ? "disabled" : phone.adb_state;
        lines.push_back({phone.instance.id, std::string(to_string(phone.instance.via)),
                         to_string(phone.instance.address), state, phone.model,
                         report::with_holder(phone.why, phone.held_by)});
    }
    std::array<std::size_t, kColumns> width{};
    for (auto& line : lines) {
        for (std::size_t i = 0; i < kColumns; ++i) {
            line[i] = report::printable(line[i], report::Layout::escape);
            width[i] = std::max(width[i], line[i].size());
        }
    }
    std::string text;
    for (const auto& line : lines) {
        std::string row;
        for (std::size_t i = 0; i < kColumns; ++i) row += fmt::format("{:<{}}  ", line[i], width[i]);
        row.erase(row.find_last_not_of(' ') + 1);
        text += row + "\n";
    }
    return text;
}

int devices(const Context& context, const DevicesArguments& o) {
    ignore_sigpipe();
    const std::string selector = o.selector.empty() ? "all" : o.selector;
    auto herd = open_herd(context, {.connect = o.connect});
    if (!herd) return report_error(herd.error());
    const auto targets = select_targets(**herd, selector);
    if (!targets) return report_error(targets.error());
    if (targets->empty()) return report_error(Error(Code::nothing_matched, "no phone matches '" + selector + "'"));
    const auto phones = (*herd)->probe(*targets, o.connect);
    if (!phones) return report_error(phones.error());
    const bool as_json = wants_json(context);
    ResultStream results;
    results.write(as_json ? json_text(*phones, context.output) : table_text(*phones));
    return results.exit_code();
}

}  // namespace

void add_devices(Program& program, Context& context) {
    auto o = std::make_shared<DevicesArguments>();
    auto& command = program.add("devices", "Lists phones, and why those that cannot be used cannot");
    command.takes_config();
    command.takes_server();
    command.positional("SELECTOR", o->selector, "which phones (all)", Need::optional);
    command.duration("--connect-timeout", o->connect, "how long to wait for each phone (5s)");
    command.action([o, &context] { return devices(context, *o); });
}

}  // namespace drover::cli
