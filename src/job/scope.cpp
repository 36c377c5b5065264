#include "job/scope.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/nearest.hpp"
#include "fleet/inventory.hpp"

namespace drover::job {
namespace {

constexpr std::string_view kLabels = "labels.", kPhone = "phone.", kOutputs = "outputs.", kMatrix = "matrix.",
                           kSecrets = "secrets.", kVars = "vars.", kRunId = "run.id";
constexpr std::size_t kShownMax = 40;

constexpr std::array kPhoneFacts{
    PhoneFact{"model", "ro.product.model"},
    PhoneFact{"manufacturer", "ro.product.manufacturer"},
    PhoneFact{"brand", "ro.product.brand"},
    PhoneFact{"product", "ro.product.name"},
    PhoneFact{"device", "ro.product.device"},
    PhoneFact{"sdk", "ro.build.version.sdk", Type::number},
    PhoneFact{"release", "ro.build.version.release"},
    PhoneFact{"abi", "ro.product.cpu.abi"},
    PhoneFact{"serial", "ro.serialno"},
    PhoneFact{"build", "ro.build.fingerprint"},
};

struct FieldName {
    std::string_view name;
    OutputField field;
    Type type;
};
constexpr std::array kFields{
    FieldName{"stdout", OutputField::out, Type::text},
    FieldName{"stderr", OutputField::err, Type::text},
    FieldName{"exit_code", OutputField::exit_code, Type::number},
    FieldName{"ok", OutputField::ok, Type::boolean},
    FieldName{"code", OutputField::code, Type::text},
    FieldName{"ms", OutputField::ms, Type::number},
};

std::string listed(const std::vector<std::string_view>& names) {
    std::string out;
    for (const auto name : names) out += fmt::format("{}{}", out.empty() ? "" : ", ", name);
    return out;
}

// "no step before this one registers 'x' (did you mean 'y'?)", or what there is.
std::string unknown(std::string_view what, std::string_view name, const std::vector<std::string_view>& names) {
    const auto shown = name.substr(0, kShownMax);
    if (const auto near = did_you_mean(name, names); !near.empty()) return fmt::format("{} '{}'{}", what, shown, near);
    if (names.empty()) return fmt::format("{} '{}'", what, shown);
    return fmt::format("{} '{}': one of {}", what, shown, listed(names));
}

template <class Keys>
std::vector<std::string_view> views(const Keys& keys) {
    return std::vector<std::string_view>(keys.begin(), keys.end());
}

std::string unknown_plain(std::string_view name, const NameTable& table) {
    std::vector<std::string_view> names{"instance", "serial", "labels.KEY", "phone.NAME", "outputs.NAME.stdout"};
    for (const auto& [var, value] : table.vars) names.push_back(var);
    const auto shown = name.substr(0, kShownMax);
    if (const auto near = did_you_mean(name, names); !near.empty()) return fmt::format("no var '{}'{}", shown, near);
    return fmt::format(
        "no var '{}': a name of vars, instance, serial, labels.KEY, phone.NAME or outputs.NAME.stdout is wanted",
        shown);
}

tl::expected<Name, std::string> resolve_output(Name out, std::string_view rest, const NameTable& table) {
    const auto dot = rest.rfind('.');
    const auto step = rest.substr(0, dot);
    const auto slot = table.outputs.find(step);
    if (slot == table.outputs.end()) {
        std::vector<std::string_view> names;
        for (const auto& [name, index] : table.outputs) names.push_back(name);
        return tl::unexpected(unknown("no step before this one registers", step, names));
    }
    std::vector<std::string_view> fields;
    for (const auto& field : kFields) fields.push_back(field.name);
    const auto wanted = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
    const auto* field = std::find_if(kFields.begin(), kFields.end(), [&](const auto& f) { return f.name == wanted; });
    if (field == kFields.end()) return tl::unexpected(unknown("an output has no", wanted, fields));
    out.kind = Name::Kind::output;
    out.index = slot->second;
    out.field = field->field;
    out.type = field->type;
    return out;
}

Value output_value(const Output& output, OutputField field) {
    if (output.skipped) return field == OutputField::ok ? Value(false) : Value();
    switch (field) {
        case OutputField::out: return output.out;
        case OutputField::err: return output.err;
        case OutputField::exit_code: return output.exit_code ? Value(std::int64_t{*output.exit_code}) : Value();
        case OutputField::ok: return output.code == Code::ok;
        case OutputField::code: return std::string(info(output.code).name);
        case OutputField::ms: return static_cast<std::int64_t>(output.ms);
    }
    return {};
}

}  // namespace

std::span<const PhoneFact> phone_facts() { return kPhoneFacts; }

bool is_fact_name(std::string_view name) {
    if (name == "instance" || name == "serial") return true;
    return name.substr(0, kLabels.size()) == kLabels && fleet::valid_label_key(name.substr(kLabels.size()));
}

std::optional<std::string> fact_of(const Instance& phone, std::string_view name) {
    if (name == "instance") return phone.id;
    if (name == "serial") {
        if (!phone.serial.empty()) return phone.serial;
        const auto* address = std::get_if<Serial>(&phone.address);
        return address ? std::optional(address->serial) : std::nullopt;
    }
    const auto label = phone.labels.find(std::string(name.substr(std::min(kLabels.size(), name.size()))));
    return label == phone.labels.end() ? std::nullopt : std::optional(label->second);
}

tl::expected<Name, std::string> NameTable::resolve(std::string_view name) const {
    Name out;
    out.text = std::string(name);
    const auto after = [&](std::string_view prefix) { return name.substr(prefix.size()); };
    const auto indexed = [&](Name::Kind kind, const std::vector<std::string>& list, std::string_view key,
                             std::string_view what) -> tl::expected<Name, std::string> {
        const auto found = std::find(list.begin(), list.end(), key);
        if (found == list.end()) return tl::unexpected(unknown(what, key, views(list)));
        out.kind = kind;
        out.index = static_cast<std::size_t>(found - list.begin());
        return out;
    };
    if (is_fact_name(name)) return out;
    if (name == kRunId) {
        out.kind = Name::Kind::run;
        return out;
    }
    if (name.starts_with(kOutputs)) return resolve_output(std::move(out), after(kOutputs), *this);
    if (name.starts_with(kMatrix)) return indexed(Name::Kind::matrix, matrix, after(kMatrix), "strategy.matrix has no");
    if (name.starts_with(kSecrets)) return indexed(Name::Kind::secret, secrets, after(kSecrets), "secrets has no");
    if (name.starts_with(kPhone)) {
        std::vector<std::string> known;
        for (const auto& fact : kPhoneFacts) known.emplace_back(fact.name);
        auto found = indexed(Name::Kind::phone, known, after(kPhone), "a phone has no");
        if (found) found->type = kPhoneFacts[found->index].type;
        return found;
    }
    const auto var = vars.find(name.starts_with(kVars) ? after(kVars) : name);
    if (var == vars.end()) return tl::unexpected(unknown_plain(name, *this));
    out.kind = Name::Kind::var;
    out.value = var->second;
    return out;
}

Value Scope::value_of(const Name& name) const {
    switch (name.kind) {
        case Name::Kind::fact: {
            auto value = fact_of(phone, name.text);
            return value ? Value(*std::move(value)) : Value();
        }
        case Name::Kind::phone: {
            if (name.index >= phone_values.size() || phone_values[name.index].empty()) return {};
            const auto& text = phone_values[name.index];
            if (name.type == Type::text) return text;
            const auto number = to_number(text);
            return number ? Value(*number) : Value();
        }
        case Name::Kind::output:
            if (name.index >= outputs.size() || !outputs[name.index]) return {};
            return output_value(*outputs[name.index], name.field);
        case Name::Kind::matrix: return name.index < matrix.size() ? Value(matrix[name.index]) : Value();
        case Name::Kind::secret: return name.index < secrets.size() ? Value(secrets[name.index]) : Value();
        case Name::Kind::run: return std::string(run_id);
        case Name::Kind::var: break;
    }
    return {};
}

}  // namespace drover::job
