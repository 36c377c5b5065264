#include "job/schema.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <span>

#include "base/json_view.hpp"
#include "job/keys.hpp"
#include "job/step_kinds.hpp"

namespace drover::job {
namespace {

namespace json = boost::json;

// What the tables call by a name. A text may be written as any scalar.
constexpr struct {
    std::string_view name, schema;
} kDefinitions[] = {
    {"text", R"({"type":["string","number","boolean"]})"},
    {"texts", R"({"type":"object","additionalProperties":{"$ref":"#/definitions/text"}})"},
    {"version", R"({"const":1})"},
    {"name", R"({"type":["string","number","boolean"],"pattern":"^[^\\u0000-\\u001f\\u007f]{1,128}$"})"},
    {"selector", R"({"type":"string","minLength":1})"},
    {"file", R"({"type":"string","minLength":1})"},
    {"boolean", R"({"type":"boolean"})"},
    {"yes", R"({"const":true})"},
    {"load", R"({"type":"number","minimum":0.01,"maximum":10000})"},
    {"duration", R"({"type":"string","pattern":"^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$"})"},
    {"condition", R"({"type":["string","boolean"]})"},
    {"shell", R"({"type":["string","number","boolean"],"pattern":"[^ \\t\\n]"})"},
    {"variable", R"({"type":"string","pattern":"^[A-Za-z_][A-Za-z0-9_-]*$"})"},
    {"environment", R"({"type":"object","maxProperties":100,"propertyNames":{"pattern":"^[A-Za-z_][A-Za-z0-9_]*$"},)"
                    R"("additionalProperties":{"$ref":"#/definitions/text"}})"},
    {"exit-codes", R"({"type":"array","minItems":1,"items":{"type":"integer","minimum":0,"maximum":255}})"},
    {"causes", R"({"type":"array","minItems":1,"items":{"enum":["user","phone","link","host","infra","timeout"]}})"},
    {"retries", R"({"type":"integer","minimum":1,"maximum":20})"},
    {"count", R"({"type":"integer","minimum":1,"maximum":1000000})"},
    {"sync", R"({"const":"step"})"},
    {"matrix", R"({"type":"object","minProperties":1,"propertyNames":{"pattern":"^[A-Za-z_][A-Za-z0-9_-]*$"},)"
               R"("additionalProperties":{"type":"array","minItems":1,"items":{"$ref":"#/definitions/text"}}})"},
    {"vars", R"({"type":"object","maxProperties":200,"propertyNames":{"pattern":"^[A-Za-z_][A-Za-z0-9_-]*$"},)"
             R"("additionalProperties":{"$ref":"#/definitions/text"}})"},
    {"share",
     R"({"anyOf":[{"type":"integer","minimum":0},{"type":"string","pattern":"^([0-9]+|([0-9]{1,2}|100)%)$"}]})"},
    {"batch",
     R"({"anyOf":[{"type":"integer","minimum":1},{"type":"string","pattern":"^([1-9][0-9]*|([1-9][0-9]?|100)%)$"}]})"},
    {"shares", R"({"type":"array","minItems":1,"maxItems":50,"items":{"$ref":"#/definitions/batch"}})"},
    {"steps", R"({"type":"array","minItems":1,"maxItems":200,"items":{"$ref":"#/definitions/step"}})"},
    {"secrets", R"({"type":"object","maxProperties":50,"propertyNames":{"pattern":"^[A-Za-z_][A-Za-z0-9_-]*$"},)"
                R"("additionalProperties":{"$ref":"#/definitions/secret"}})"},
    {"paths", R"({"anyOf":[{"$ref":"#/definitions/text"},{"$ref":"#/definitions/arguments"}]})"},
    {"notify-when", R"({"enum":["always","failure","success"]})"},
    {"notifications", R"({"type":"array","minItems":1,"maxItems":20,"items":{"$ref":"#/definitions/notification"}})"},
    {"compress", R"({"enum":["auto","none","brotli","lz4","zstd"]})"},
    {"arguments", R"({"type":"array","minItems":1,"items":{"$ref":"#/definitions/text"}})"},
};

json::value parsed(std::string_view text) { return json::parse(json_view(text)); }

void add_properties(json::object& to, json::array& required, std::span<const yaml::KeySpec> keys) {
    for (const auto& key : keys) {
        // Beside a $ref draft-07 readers look at nothing else.
        json::array all;
        all.push_back(json::object{{"$ref", fmt::format("#/definitions/{}", key.schema)}});
        to[json_view(key.name)] = json::object{{"description", json_view(key.doc)}, {"allOf", std::move(all)}};
        if (key.required) required.emplace_back(json_view(key.name));
    }
}

json::object map_of(std::span<const yaml::KeySpec> keys) {
    json::object properties;
    json::array required;
    add_properties(properties, required, keys);
    json::object out{{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
    if (!required.empty()) out["required"] = std::move(required);
    return out;
}

// Exactly one of these keys.
json::array one_of(std::initializer_list<std::string_view> keys) {
    json::array out;
    for (const auto key : keys) out.push_back(json::object{{"required", json::array{json_view(key)}}});
    return out;
}

json::object step() {
    auto out = map_of(kStepKeys);
    auto& properties = out["properties"].as_object();
    json::array required, kinds, with_env, with_code;
    for (const auto& kind : step_kinds()) {
        add_properties(properties, required, {&kind.key, 1});
        kinds.push_back(json::object{{"required", json::array{json_view(kind.key.name)}}});
        if (kind.takes_env) with_env.push_back(kinds.back());
        if (kind.has_code) with_code.push_back(kinds.back());
    }
    kinds.push_back(json::object{{"required", json::array{"uses"}}});
    with_env.push_back(kinds.back());
    out["oneOf"] = std::move(kinds);
    out["dependencies"] = json::object{{"with", json::array{"uses"}},
                                       {"env", json::object{{"anyOf", std::move(with_env)}}},
                                       {"ok-codes", json::object{{"anyOf", std::move(with_code)}}}};
    return out;
}

void indent(const json::value& value, std::string& out, std::size_t depth) {
    constexpr std::size_t kShortMax = 100;  // columns that may stay on one line
    const auto flat = json::serialize(value);
    const bool is_object = value.is_object();
    if (flat.size() <= kShortMax || (!is_object && !value.is_array())) {
        out += flat;
        return;
    }
    const std::string pad(2 * depth + 2, ' ');
    bool first = true;
    const auto separate = [&] {
        out += fmt::format("{}\n{}", first ? "" : ",", pad);
        first = false;
    };
    out += is_object ? '{' : '[';
    if (is_object) {
        for (const auto& [key, inner] : value.as_object()) {
            separate();
            out += fmt::format("{}: ", json::serialize(json::value(key)));
            indent(inner, out, depth + 1);
        }
    } else {
        for (const auto& inner : value.as_array()) {
            separate();
            indent(inner, out, depth + 1);
        }
    }
    out += fmt::format("\n{}{}", std::string(2 * depth, ' '), is_object ? '}' : ']');
}

}  // namespace

std::string job_schema() {
    json::object definitions;
    for (const auto& [name, schema] : kDefinitions) definitions[json_view(name)] = parsed(schema);
    {
        auto choice = map_of(kOnKeys);
        choice["oneOf"] = one_of({"select", "any"});
        json::array forms;
        forms.push_back(json::object{{"$ref", "#/definitions/selector"}});
        forms.push_back(std::move(choice));
        definitions["phones"] = json::object{{"anyOf", std::move(forms)}};
    }
    definitions["retry"] = map_of(kRetryKeys);
    definitions["notification"] = map_of(kNotifyKeys);
    definitions["notify-run"] = map_of(kNotifyRunKeys);
    definitions["strategy"] = map_of(kStrategyKeys);
    definitions["rollout"] = map_of(kRolloutKeys);
    definitions["transfers"] = map_of(kTransfersKeys);
    definitions["secret"] = map_of(kSecretKeys);
    for (const auto& kind : step_kinds()) {
        if (!kind.values.empty()) definitions[json_view(kind.key.schema)] = map_of(kind.values);
    }
    definitions["secret"].as_object()["oneOf"] = one_of({"env", "file"});
    auto& wait_for = definitions["wait-for"].as_object();
    wait_for["oneOf"] = one_of({"property", "package", "boot", "idle", "command"});
    wait_for["dependencies"] = json::object{{"property", json::array{"value"}}, {"value", json::array{"property"}}};
    definitions["host-run"].as_object()["oneOf"] = one_of({"program", "shell"});
    definitions["logcat"].as_object()["not"] = json::object{{"required", json::array{"time", "whole-job"}}};
    // Those have a short form too, without keys.
    constexpr struct {
        std::string_view kind, form;
    } kShortForms[] = {{"notify-run", "arguments"}, {"host-run", "arguments"}, {"pull", "paths"},
                       {"install", "paths"},        {"uninstall", "text"},     {"screenshot", "yes"},
                       {"bugreport", "yes"},        {"logcat", "yes"}};
    for (const auto& [kind, form] : kShortForms) {
        json::array forms;
        forms.push_back(json::object{{"$ref", fmt::format("#/definitions/{}", form)}});
        forms.push_back(definitions[json_view(kind)]);
        definitions[json_view(kind)] = json::object{{"anyOf", std::move(forms)}};
    }
    definitions["step"] = step();
    json::object root{{"$schema", "http://json-schema.org/draft-07/schema#"},
                      {"title", "drover job file"},
                      {"description", "Made by `drover schema`; see README.md, Job files."}};
    for (auto& [key, value] : map_of(kJobKeys)) root[key] = value;
    root["definitions"] = std::move(definitions);
    std::string out;
    indent(root, out, 0);
    return out + "\n";
}

}  // namespace drover::job
