#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/json_view.hpp"
#include "cli/command.hpp"
#include "cli/terminal.hpp"

namespace drover::cli {
namespace {

namespace json = boost::json;

json::object as_json(const CodeInfo& code) {
    json::object o;
    o["code"] = json_view(code.name);
    o["class"] = json_view(to_string(code.cls));
    o["exit_code"] = code.exit_code;
    o["text"] = json_view(code.text);
    return o;
}

int print_codes(const Context& context) {
    std::string text;
    json::array all;
    for (const auto& code : all_codes()) {
        if (code.code == Code::ok) continue;
        if (context.output == OutputMode::json) {
            all.push_back(as_json(code));
        } else if (context.output == OutputMode::jsonl) {
            text += json::serialize(as_json(code)) + "\n";
        } else {
            text +=
                fmt::format("{:<12} {:<6} exit {:<3} {}\n", code.name, to_string(code.cls), code.exit_code, code.text);
        }
    }
    if (context.output == OutputMode::json) {
        json::object document;
        document["schema"] = 1;
        document["codes"] = std::move(all);
        text = json::serialize(document) + "\n";
    }
    ResultStream results;
    results.write(text);
    return results.exit_code();
}

}  // namespace

void add_codes(Program& program, Context& context) {
    program.add("codes", "Prints every error code, its class, and the exit code it leads to").action([&context] {
        return print_codes(context);
    });
}

}  // namespace drover::cli
