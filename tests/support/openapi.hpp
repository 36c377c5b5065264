// Checks an answer against config/openapi.yaml: the few words of OpenAPI that the file uses. One thread.
// Failure: a text that says where the answer and the file disagree; empty when they agree.
#pragma once
#include <fmt/format.h>

#include <boost/json/value.hpp>
#include <regex>
#include <stdexcept>
#include <string>

#include "base/utf8.hpp"
#include "base/yaml_tree.hpp"

namespace drover::test {

class OpenApi {
public:
    explicit OpenApi(const std::string& file) {
        auto loaded = yaml::load({file});
        if (!loaded) throw std::runtime_error(loaded.error().message);
        root_ = std::move(*loaded);
    }

    // `path` as the file writes it ("/v1/instances/tasks/{task_id}"), `method` in lower case.
    std::string check(const std::string& path, const std::string& method, int status,
                      const boost::json::value& body) const {
        const auto* response = find({"paths", path, method, "responses", std::to_string(status)});
        if (!response) return fmt::format("{} {} documents no {}", method, path, status);
        const auto* schema = at(*resolve(response), {"content", "application/json", "schema"});
        if (!schema) return "the answer has no schema";
        return judge(*schema, body, "answer");
    }

private:
    using Node = yaml::Node;

    const Node* find(std::initializer_list<std::string> keys) const { return at(root_, keys); }
    static const Node* at(const Node& node, std::initializer_list<std::string> keys) {
        const Node* now = &node;
        for (const auto& key : keys) {
            const auto* entry = now->find(key);
            if (!entry) return nullptr;
            now = &entry->value;
        }
        return now;
    }
    // "#/components/schemas/Id"
    const Node* resolve(const Node* node) const {
        const auto* ref = node->find("$ref");
        if (!ref) return node;
        const Node* now = &root_;
        auto rest = ref->value.text.substr(2);
        while (!rest.empty()) {
            const auto slash = rest.find('/');
            const auto* entry = now->find(rest.substr(0, slash));
            if (!entry) throw std::runtime_error("openapi: nothing at " + ref->value.text);
            now = &entry->value;
            rest = slash == std::string::npos ? "" : rest.substr(slash + 1);
        }
        return resolve(now);
    }
    static std::string word(const Node& schema, const char* key) {
        const auto* entry = schema.find(key);
        return entry ? entry->value.text : "";
    }
    static bool over(const Node& schema, const char* key, std::size_t n) {
        const auto text = word(schema, key);
        return !text.empty() && n > std::stoul(text);
    }

    std::string judge(const Node& reference, const boost::json::value& value, const std::string& where) const {
        const Node& schema = *resolve(&reference);
        if (value.is_null()) return word(schema, "nullable") == "true" ? "" : where + " is null";
        const auto type = word(schema, "type");
        if (const auto* allowed = schema.find("enum")) {
            const auto text = value.is_string() ? std::string(value.get_string().c_str())
                                                : fmt::format("{}", value.to_number<std::int64_t>());
            bool known = false;
            for (const auto& item : allowed->value.items) known = known || item.text == text;
            if (!known) return fmt::format("{} is '{}', which is not in the list", where, text);
        }
        if (type == "string") return judge_string(schema, value, where);
        if (type == "integer") return value.is_int64() || value.is_uint64() ? "" : where + " is no integer";
        if (type == "boolean") return value.is_bool() ? "" : where + " is no boolean";
        if (type == "array") return judge_array(schema, value, where);
        if (type == "object") return judge_object(schema, value, where);
        return fmt::format("{}: the schema has the type '{}'", where, type);
    }
    static std::string judge_string(const Node& schema, const boost::json::value& value, const std::string& where) {
        if (!value.is_string()) return where + " is no string";
        const std::string text(value.get_string().c_str(), value.get_string().size());
        if (!is_valid_utf8(text)) return where + " is no UTF-8";
        if (over(schema, "maxLength", text.size())) return where + " is too long";
        const auto pattern = word(schema, "pattern");
        if (!pattern.empty() && !std::regex_search(text, std::regex(pattern)))
            return fmt::format("{} is '{}', not {}", where, text, pattern);
        return "";
    }
    std::string judge_array(const Node& schema, const boost::json::value& value, const std::string& where) const {
        if (!value.is_array()) return where + " is no list";
        const auto& list = value.get_array();
        if (over(schema, "maxItems", list.size())) return where + " has too many items";
        if (!word(schema, "minItems").empty() && list.size() < std::stoul(word(schema, "minItems")))
            return where + " has too few items";
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (auto wrong = judge(schema.find("items")->value, list[i], fmt::format("{}[{}]", where, i));
                !wrong.empty())
                return wrong;
        }
        return "";
    }
    std::string judge_object(const Node& schema, const boost::json::value& value, const std::string& where) const {
        if (!value.is_object()) return where + " is no object";
        const auto& object = value.get_object();
        if (const auto* required = schema.find("required")) {
            for (const auto& key : required->value.items) {
                if (!object.contains(key.text)) return fmt::format("{}.{} is missing", where, key.text);
            }
        }
        const auto* properties = schema.find("properties");
        for (const auto& [key, member] : object) {
            const std::string name(key);
            const auto* known = properties ? properties->value.find(name) : nullptr;
            if (!known && word(schema, "additionalProperties") == "false")
                return fmt::format("{}.{} is not documented", where, name);
            if (!known) continue;
            if (auto wrong = judge(known->value, member, fmt::format("{}.{}", where, name)); !wrong.empty())
                return wrong;
        }
        return "";
    }

    Node root_;
};

}  // namespace drover::test
