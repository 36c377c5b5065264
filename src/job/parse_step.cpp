#include <fmt/format.h>

#include <algorithm>

#include "base/nearest.hpp"
#include "job/keys.hpp"
#include "job/parse_file.hpp"
#include "job/step_kinds.hpp"

namespace drover::job {
namespace {

const std::vector<yaml::KeySpec>& step_keys() {
    static const auto keys = [] {
        std::vector<yaml::KeySpec> all(std::begin(kStepKeys), std::end(kStepKeys));
        for (const auto& kind : step_kinds()) all.push_back(kind.key);
        return all;
    }();
    return keys;
}

std::string what_there_is() {
    std::string out;
    for (const auto& kind : step_kinds()) out += fmt::format("{}, ", kind.key.name);
    return out + "uses";
}

}  // namespace

void FileParser::read_steps(const yaml::Node& list, const std::string& path, std::vector<Step>& to) {
    if (!list.is_sequence() || list.items.empty()) {
        problems_.add(list.mark, path,
                      list.is_sequence() ? "at least one step is wanted"
                                         : fmt::format("a list is wanted, this is {}", to_string(list.kind)));
        return;
    }
    if (list.items.size() > kStepsMax) {
        problems_.add(list.items[kStepsMax].mark, path, fmt::format("more than {} steps", kStepsMax));
        return;
    }
    for (std::size_t i = 0; i < list.items.size(); ++i)
        read_step(list.items[i], fmt::format("{}[{}]", path, i), i + 1, to);
}

void FileParser::read_step(const yaml::Node& node, const std::string& path, std::size_t number, std::vector<Step>& to) {
    const auto before = problems_.count();
    const yaml::MapReader map(node, path, step_keys(), problems_);
    if (!map.is_map()) return;
    unknown_key_ = problems_.count() > before;
    Step step;
    step.mark = node.mark;
    step.file = source_.file;
    const auto usual = map.find("uses") && map.find("uses")->is_scalar()
                           ? std::filesystem::path(map.find("uses")->text).stem().string()
                           : fmt::format("{} {}", in_finally_ ? "finally" : "step", number);
    step.name = (use_ ? use_->name_prefix : "") + reader_.read_name(map).value_or(usual);
    check_name_is_new(map, path, step);
    read_common(map, path, step);
    read_what(map, path, std::move(step), to);
}

void FileParser::check_name_is_new(const yaml::MapReader& map, const std::string& path, const Step& step) {
    const auto mark = map.find("name") ? map.mark_of("name") : map.mark();
    const auto here = parsing_.open_files.size() == 1 ? fmt::format("line {}", mark.line)
                                                      : fmt::format("{}:{}", source_.file, mark.line);
    const auto [first, fresh] = parsing_.step_at.emplace(step.name, here);
    if (fresh) return;
    problems_.add(mark, path + ".name",
                  fmt::format("the name '{}' stands here a second time; the first is in {}", step.name, first->second));
}

void FileParser::read_common(const yaml::MapReader& map, const std::string& path, Step& step) {
    if (use_) {
        step.conditions = use_->conditions;
        step.if_text = use_->if_text;
    }
    if (const auto* condition = map.find("if")) {
        if (auto read = reader_.read_condition(*condition, path + ".if")) step.conditions.push_back(*std::move(read));
        step.if_text += fmt::format("{}{}", step.if_text.empty() ? "" : ", and ", condition->text);
    }
    step.timeout = map.duration("timeout");
    step.continue_on_error = map.boolean("continue-on-error").value_or(false);
    step.idempotent = map.boolean("idempotent").value_or(false);
    if (const auto* retry = map.find("retry")) read_retry(*retry, path + ".retry", step.retry);
    if (const auto* codes = map.find("ok-codes")) read_ok_codes(*codes, path + ".ok-codes", step.ok_codes);
    step.env = env_;
    if (const auto* env = map.find("env")) {
        for (auto& variable : reader_.read_env(*env, path + ".env")) step.env.push_back(std::move(variable));
    }
}

void FileParser::read_retry(const yaml::Node& node, const std::string& path, Retry& to) {
    const yaml::MapReader map(node, path, kRetryKeys, problems_);
    if (!map.is_map()) return;
    to.max = static_cast<std::size_t>(map.integer("max", 1, kRetriesMax).value_or(0));
    to.backoff = map.duration("backoff").value_or(to.backoff);
    const auto* causes = map.find("on");
    if (!causes) return;
    static constexpr std::string_view kCauses[] = {"user", "phone", "link", "host", "infra", "timeout"};
    std::fill(std::begin(to.on_class), std::end(to.on_class), false);
    to.on_timeout = false;
    if (!causes->is_sequence() || causes->items.empty()) {
        problems_.add(causes->mark, path + ".on", "a list is wanted, of user, phone, link, host, infra, timeout");
        return;
    }
    for (std::size_t i = 0; i < causes->items.size(); ++i) {
        const auto word = yaml::read_word(causes->items[i], fmt::format("{}.on[{}]", path, i), kCauses, problems_);
        if (!word) continue;
        if (*word == "timeout") {
            to.on_timeout = true;
            continue;
        }
        for (const auto cls :
             {ErrorClass::user, ErrorClass::phone, ErrorClass::link, ErrorClass::host, ErrorClass::infra}) {
            if (to_string(cls) == *word) to.on_class[static_cast<std::size_t>(cls)] = true;
        }
    }
}

void FileParser::read_ok_codes(const yaml::Node& node, const std::string& path, std::vector<int>& to) {
    if (!node.is_sequence() || node.items.empty()) {
        problems_.add(node.mark, path, "a list of exit codes is wanted, as in [0, 1]");
        return;
    }
    constexpr int kExitCodeMax = 255;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const auto code = yaml::read_integer(node.items[i], fmt::format("{}[{}]", path, i), 0, kExitCodeMax, problems_);
        if (code) to.push_back(static_cast<int>(*code));
    }
}

void FileParser::read_what(const yaml::MapReader& map, const std::string& path, Step step, std::vector<Step>& to) {
    std::vector<std::string_view> there;
    const StepKind* chosen = nullptr;
    for (const auto& kind : step_kinds()) {
        if (!map.find(kind.key.name)) continue;
        there.push_back(kind.key.name);
        chosen = &kind;
    }
    if (map.find("uses")) there.push_back("uses");
    if (there.empty() && unknown_key_) return;  // it is most likely that one, written wrong
    if (there.size() != 1) {
        problems_.add(map.mark(), path,
                      there.empty()
                          ? fmt::format("what to do is missing: one of {}", what_there_is())
                          : fmt::format("'{}' and '{}' are two things to do: make two steps", there[0], there[1]));
        return;
    }
    if (map.find("with") && !map.find("uses")) map.problem("with", "goes with 'uses' only");
    if (map.find("uses")) return read_uses(map, path, std::move(step));
    step.kind = std::string(chosen->key.name);
    // What the job exports before every step is simply of no use to some; what stands at a step is a mistake there.
    if (!chosen->takes_env) {
        if (map.find("env"))
            map.problem("env", fmt::format("has no meaning for '{}': only for {}", step.kind, kinds_with_env()));
        step.env.clear();
    }
    if (!chosen->has_code && map.find("ok-codes"))
        map.problem("ok-codes", fmt::format("has no meaning for '{}': only for {}", step.kind, kinds_with_code()));
    step.action = chosen->read(*map.find(chosen->key.name), fmt::format("{}.{}", path, chosen->key.name), reader_);
    read_register(map, step);
    if (!step.action) return;
    if (to.size() == kStepsMax) {
        problems_.add(map.mark(), path, fmt::format("more than {} steps, with those of used files", kStepsMax));
        return;
    }
    const std::function<void(const Name&)> look = [&](const Name& name) {
        out_.asks_phone = out_.asks_phone || name.kind == Name::Kind::phone;
        if (name.value) name.value->each_name(look);
    };
    step.action->each_template([&](const Template& text) { text.each_name(look); });
    for (const auto& variable : step.env) variable.value.each_name(look);
    for (const auto& condition : step.conditions) condition.each_name(look);
    to.push_back(std::move(step));
}

void FileParser::read_register(const yaml::MapReader& map, Step& step) {
    const auto name = map.string("register");
    if (!name) return;
    if (!valid_var_name(*name)) {
        return map.problem("register",
                           fmt::format("'{}' is not a name: letters, digits, _ and -, the first a letter or _", *name));
    }
    if (names_.outputs.contains(*name))
        return map.problem("register", fmt::format("'{}' is registered already", *name));
    step.output_slot = out_.output_slots++;
    names_.outputs.emplace(*name, *step.output_slot);
}

void FileParser::read_uses(const yaml::MapReader& map, const std::string& path, Step step) {
    for (const auto key : {"timeout", "retry", "continue-on-error", "ok-codes", "register", "idempotent"}) {
        if (map.find(key)) map.problem(key, "has no meaning for 'uses': write it at the steps of that file");
    }
    const auto wanted = map.string("uses");
    if (!wanted) return;
    const auto file = (std::filesystem::path(source_.file).parent_path() / *wanted).lexically_normal().string();
    auto& open = parsing_.open_files;
    if (std::find(open.begin(), open.end(), file) != open.end())
        return map.problem("uses", fmt::format("{} uses itself", file));
    if (open.size() > kUsesDepthMax)
        return map.problem("uses", fmt::format("more than {} files that use each other", kUsesDepthMax));
    const auto text = parsing_.read(file);
    if (!text) return map.problem("uses", text.error().message);
    const yaml::Source source{file, Code::bad_job, kJobBytesMax};
    const auto tree = yaml::parse(*text, source);
    if (!tree) {
        parsing_.errors.push_back(tree.error());
        return;
    }
    Using use{step.name + " / ",
              in_finally_,
              std::move(step.conditions),
              std::move(step.if_text),
              std::move(step.env),
              {},
              {}};
    if (const auto* with = map.find("with")) {
        for (const auto& entry :
             yaml::read_string_map(*with, path + ".with", problems_).value_or(std::vector<yaml::StringEntry>())) {
            auto value = reader_.read_template(entry.value, entry.mark, fmt::format("{}.with.{}", path, entry.key),
                                               Template::Use::plain);
            if (value) use.with.emplace(entry.key, std::make_shared<const Template>(*std::move(value)));
            use.with_marks.emplace(entry.key, entry.key_mark);
        }
    }
    open.push_back(file);
    FileParser inner(parsing_, *text, source, &use);
    // Its steps go where the using step stands, its `finally` to the job's.
    const auto unknown = inner.read(*tree);
    open.pop_back();
    out_.used_files.push_back(file);
    for (const auto& name : unknown)
        problems_.add(use.with_marks.at(name), path + ".with", fmt::format("{} has no var '{}'", file, name));
    const auto errors = inner.problems().errors();
    parsing_.errors.insert(parsing_.errors.end(), errors.begin(), errors.end());
}

}  // namespace drover::job
