#include "job/parse.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "dispatch/selector.hpp"
#include "job/keys.hpp"
#include "job/parse_file.hpp"

namespace drover::job {
namespace {

constexpr std::int64_t kCountMax = 1'000'000;

bool is_taken(std::string_view name) {
    static constexpr std::string_view kTaken[] = {"labels", "raw",     "phone", "outputs", "matrix",
                                                  "vars",   "secrets", "run",   "true",    "false"};
    return is_fact_name(name) || std::find(std::begin(kTaken), std::end(kTaken), name) != std::end(kTaken);
}

}  // namespace

std::vector<std::string> FileParser::read(const yaml::Node& root) {
    const yaml::MapReader map(root, "", kJobKeys, problems_);
    if (!map.is_map()) return {};
    map.integer("version", 1, 1);
    read_head(map);
    auto unknown = read_vars(map.find("vars"));
    if (const auto* secrets = map.find("secrets")) read_secrets(*secrets);
    if (const auto* strategy = map.find("strategy")) read_strategy(*strategy);
    if (const auto* notify = map.find("notify")) read_notify(*notify);
    if (use_) env_ = use_->env;
    if (const auto* env = map.find("env")) {
        for (auto& variable : reader_.read_env(*env, "env")) env_.push_back(std::move(variable));
    }
    in_finally_ = use_ && use_->in_finally;
    if (const auto* steps = map.find("steps")) read_steps(*steps, "steps", in_finally_ ? out_.finally : out_.steps);
    in_finally_ = true;
    if (const auto* finally = map.find("finally")) read_steps(*finally, "finally", out_.finally);
    return unknown;
}

// What stands for the whole job; in a used file it is read, and has no meaning.
void FileParser::read_head(const yaml::MapReader& map) {
    const auto name = reader_.read_name(map);
    const auto timeout = map.duration("timeout");
    read_on(map);
    const auto artifacts = map.string("artifacts");
    if (artifacts && artifacts->empty()) map.problem("artifacts", "the path is empty");
    if (use_) return;
    if (artifacts) out_.artifacts = (reader_.folder() / *artifacts).lexically_normal();
    out_.name = name.value_or(std::filesystem::path(out_.file).stem().string());
    out_.timeout = timeout;
}

void FileParser::read_on(const yaml::MapReader& map) {
    const auto* node = map.find("on");
    std::optional<std::string> on;
    std::optional<Choice> choice;
    if (node && node->is_map()) {
        const yaml::MapReader keys(*node, "on", kOnKeys, problems_);
        const auto select = keys.string("select"), any = keys.string("any");
        const bool both = keys.find("select") && keys.find("any"), none = !keys.find("select") && !keys.find("any");
        if (both || none) problems_.add(node->mark, "on", "one of 'select' and 'any' is wanted");
        if (select) selector(keys, "select", *select);
        if (any) selector(keys, "any", *any);
        choice.emplace();
        const auto count = keys.integer("count", 1, kCountMax);
        choice->count = static_cast<std::size_t>(count.value_or(any ? 1 : 0));
        choice->wait = keys.duration("wait");
        on = select ? select : any;
    } else {
        on = map.string("on");
        if (on) selector(map, "on", *on);
    }
    if (use_) return;  // of the job that uses this file
    out_.on = on;
    out_.choice = choice;
}

void FileParser::selector(const yaml::MapReader& map, std::string_view key, const std::string& text) {
    // Which groups there are is known only where the job runs.
    const auto checked = dispatch::Selector::check(text);
    if (checked) return;
    map.problem(key, fmt::format("column {} of the selector: {}", checked.error().offset + 1, checked.error().message));
}

std::vector<std::string> FileParser::read_vars(const yaml::Node* node) {
    const auto entries = node ? yaml::read_string_map(*node, "vars", problems_) : std::nullopt;
    if (entries && entries->size() > kVarsMax)
        problems_.add(node->mark, "vars", fmt::format("more than {} vars", kVarsMax));
    for (const yaml::StringEntry& entry : entries.value_or(std::vector<yaml::StringEntry>())) {
        const auto path = fmt::format("vars.{}", entry.key);
        if (!valid_var_name(entry.key)) {
            problems_.add(
                entry.key_mark, "vars",
                fmt::format("'{}' is not a name: letters, digits, _ and -, the first a letter or _", entry.key));
        } else if (is_taken(entry.key)) {
            problems_.add(entry.key_mark, "vars", fmt::format("'{}' is taken: choose another name", entry.key));
        }
        if (entry.value.size() > kValueBytesMax)
            problems_.add(entry.mark, path, fmt::format("more than {} bytes", kValueBytesMax));
        if (entry.value.find('\0') != std::string::npos)
            problems_.add(entry.mark, path, "a NUL character cannot be sent to a shell");
        if (entry.value.find("{{") != std::string::npos)
            problems_.add(entry.mark, path, "a var is a plain text: {{ }} works in run and env");
        names_.vars.emplace(entry.key, std::make_shared<const Template>(Template::literal(entry.value)));
    }
    std::vector<std::string> unknown;
    if (!use_) return unknown;
    for (const auto& [name, value] : use_->with) {
        const auto var = names_.vars.find(name);
        if (var == names_.vars.end()) {
            unknown.push_back(name);
        } else {
            var->second = value;
        }
    }
    return unknown;
}

Result<std::string> read_from_disk(const std::string& file) {
    return yaml::read_text(yaml::Source{file, Code::bad_job, kJobBytesMax});
}

tl::expected<Model, std::vector<Error>> parse_job(std::string_view text, const std::string& file,
                                                  const ReadFile& read) {
    const yaml::Source source{file, Code::bad_job, kJobBytesMax};
    const auto tree = yaml::parse(text, source);
    if (!tree) return tl::unexpected(std::vector{tree.error()});
    Model out;
    out.file = file;
    Parsing parsing{read, out, {}, {file}, {}};
    FileParser parser(parsing, text, source, nullptr);
    parser.read(*tree);
    auto errors = parser.problems().errors();
    errors.insert(errors.end(), parsing.errors.begin(), parsing.errors.end());
    if (!errors.empty()) return tl::unexpected(std::move(errors));
    return out;
}

}  // namespace drover::job
