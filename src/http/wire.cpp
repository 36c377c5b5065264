#include "http/wire.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <boost/json/array.hpp>
#include <cstdio>
#include <ctime>

#include "fleet/inventory.hpp"
#include "report/json.hpp"

namespace drover::http {
namespace {

namespace json = boost::json;

// Reads keys and keeps the first complaint; what is missing or wrong is a default value then.
class Keys {
public:
    explicit Keys(const json::object& object) : object_(object) {}

    const json::value* find(std::string_view key) const { return object_.if_contains({key.data(), key.size()}); }

    std::string text(std::string_view key) {
        const auto* v = find(key);
        if (!v || !v->is_string()) return complain(key, "a string"), std::string();
        return {v->get_string().data(), v->get_string().size()};
    }
    template <class T>
    T number(std::string_view key) {
        const auto* v = find(key);
        boost::system::error_code error;
        const T n = v && v->is_number() ? v->to_number<T>(error) : T{};
        if (!v || !v->is_number() || error) complain(key, "a number in range");
        return n;
    }
    bool boolean(std::string_view key) {
        const auto* v = find(key);
        if (!v || !v->is_bool()) return complain(key, "true or false"), false;
        return v->get_bool();
    }
    std::optional<int> exit_code() {
        const auto* v = find("exit_code");
        if (!v || v->is_null()) return std::nullopt;
        return number<int>("exit_code");
    }
    Code code(std::string_view key) {
        const auto name = text(key);
        for (const auto& entry : all_codes()) {
            if (entry.name == name) return entry.code;
        }
        complain(key, "a code this version knows");
        return Code::internal;
    }
    json::array list(std::string_view key) {
        const auto* v = find(key);
        if (v && v->is_array()) return v->get_array();
        return complain(key, "a list"), json::array();
    }
    void complain(std::string_view key, std::string_view wanted) {
        if (error_.empty()) error_ = fmt::format("{}: not {}", key, wanted);
    }

    template <class T>
    Result<T> give(T value) const {
        if (!error_.empty()) return fail(Code::server_failed, error_);
        return value;
    }

private:
    const json::object& object_;
    std::string error_;
};

Phase phase_named(Keys& keys, std::string_view name) {
    for (int i = 0; i <= static_cast<int>(Phase::done); ++i) {
        if (to_string(static_cast<Phase>(i)) == name) return static_cast<Phase>(i);
    }
    keys.complain("phase", "a known phase");
    return Phase::queue;
}

void read_runs(Keys& keys, Row& row) {
    for (const auto& value : keys.list("runs")) {
        const auto* pair = value.if_array();
        boost::system::error_code e1, e2;
        const auto stream = pair && pair->size() == 2 ? pair->at(0).to_number<int>(e1) : 0;
        const auto end = pair && pair->size() == 2 ? pair->at(1).to_number<std::uint32_t>(e2) : 0;
        const auto before = row.runs.empty() ? 0 : row.runs.back().end;
        if ((stream != 1 && stream != 2) || end < before || end > row.execute_msg.size())
            return keys.complain("runs", "in order and within execute_msg");
        row.runs.push_back({stream == 1 ? OutputStream::out : OutputStream::err, end});
    }
}

void read_steps(Keys& keys, Row& row) {
    if (!keys.find("steps")) return;
    for (const auto& value : keys.list("steps")) {
        const auto* object = value.if_object();
        if (!object) return keys.complain("steps", "a list of objects");
        Keys step(*object);
        StepResult s;
        const auto status = step.text("status");
        s.name = step.text("name");
        s.code = step.code("error_code");
        s.skipped = status == "skipped";
        s.continued = status == "continued";
        s.exit_code = step.exit_code();
        s.output_bytes = step.number<std::uint64_t>("output_bytes");
        s.ms = step.number<std::uint64_t>("ms");
        s.kind = step.text("kind");
        s.combination = step.text("combination");
        s.error_msg = step.text("error_msg");
        s.attempts = step.number<std::uint32_t>("attempts");
        s.begin_ms = step.number<std::uint64_t>("begin_ms");
        s.restored = step.boolean("restored");
        s.output_begin = step.number<std::uint32_t>("output_begin");
        s.output_end = step.number<std::uint32_t>("output_end");
        const bool within = s.output_begin <= s.output_end && s.output_end <= row.execute_msg.size();
        if (!within || !step.give(0)) return keys.complain("steps", "well-formed");
        row.steps.push_back(std::move(s));
    }
}

// 2024-01-01T00:00:00.000Z
std::chrono::system_clock::time_point read_time(Keys& keys, std::string_view key) {
    const auto text = keys.text(key);
    std::tm t{};
    int ms = 0;
    if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour,
                    &t.tm_min, &t.tm_sec, &ms) != 7) {
        keys.complain(key, "a time");
        return {};
    }
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return std::chrono::system_clock::from_time_t(::timegm(&t)) + std::chrono::milliseconds(ms);
}

}  // namespace

json::object row_object(const Row& row) {
    auto o = report::row_object(row, row.steps.empty() ? report::Steps::none : report::Steps::with);
    o["index"] = row.index;
    json::array runs;
    for (const auto& run : row.runs) runs.push_back(json::array{static_cast<int>(run.stream), run.end});
    o["runs"] = std::move(runs);
    // Which part of execute_msg is the step's: reports are made from it.
    for (std::size_t i = 0; i < row.steps.size(); ++i) {
        auto& step = o["steps"].as_array().at(i).as_object();
        step["output_begin"] = row.steps[i].output_begin;
        step["output_end"] = row.steps[i].output_end;
    }
    return o;
}

Result<Row> read_row(const json::object& object) {
    Keys keys(object);
    Row row;
    row.index = keys.number<std::size_t>("index");
    row.instance_id = keys.text("instance_id");
    row.code = keys.code("error_code");
    row.error_msg = keys.text("error_msg");
    row.phase = phase_named(keys, keys.text("phase"));
    row.execute_msg = keys.text("execute_msg");
    row.exit_code = keys.exit_code();
    row.output_bytes = keys.number<std::uint64_t>("output_bytes");
    row.truncated = keys.boolean("truncated");
    row.attempts = keys.number<std::uint32_t>("attempts");
    row.ms = keys.number<std::uint64_t>("ms");
    read_runs(keys, row);
    read_steps(keys, row);
    return keys.give(std::move(row));
}

Result<PhoneInfo> read_phone(const json::object& object) {
    Keys keys(object);
    PhoneInfo phone;
    phone.instance.id = keys.text("instance_id");
    const auto via = keys.text("via");
    for (const auto v : {Via::automatic, Via::tcp, Via::usb, Via::server}) {
        if (to_string(v) == via) phone.instance.via = v;
    }
    auto address = fleet::parse_address(phone.instance.via, keys.text("address"));
    if (!address) return fail(Code::server_failed, address.error().message);
    phone.instance.address = std::move(*address);
    phone.instance.serial = keys.text("serial");
    phone.adb_state = keys.text("state");
    phone.product = keys.text("product");
    phone.model = keys.text("model");
    phone.device = keys.text("device");
    if (const auto* labels = keys.find("labels"); labels && labels->is_object()) {
        for (const auto& [key, value] : labels->get_object()) {
            if (value.is_string()) phone.instance.labels[std::string(key)] = value.get_string().c_str();
        }
    }
    phone.instance.disabled = keys.boolean("disabled");
    phone.why = keys.text("why");
    if (keys.find("held_by")) phone.held_by = keys.text("held_by");
    return keys.give(std::move(phone));
}

Result<PhoneStatus> read_status(const json::object& object) {
    Keys keys(object);
    PhoneStatus status;
    status.status = keys.number<int>("status");
    status.activity = keys.number<int>("activity");
    status.adb_state = keys.number<int>("adb_state");
    status.condition = keys.text("condition");
    status.why = keys.text("why");
    status.since = read_time(keys, "since");
    if (keys.find("held_by")) status.held_by = keys.text("held_by");
    return keys.give(std::move(status));
}

json::object output_object(std::size_t index, OutputStream stream, std::string_view bytes) {
    json::string text;
    text.resize(4 * ((bytes.size() + 2) / 3) + 1);
    const auto n =
        ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                          reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(n));
    json::object o;
    o["index"] = index;
    o["stream"] = static_cast<int>(stream);
    o["base64"] = std::move(text);
    return o;
}

Result<OutputPiece> read_output(const json::object& object) {
    Keys keys(object);
    OutputPiece piece;
    piece.index = keys.number<std::size_t>("index");
    piece.stream = keys.number<int>("stream") == 2 ? OutputStream::err : OutputStream::out;
    const auto text = keys.text("base64");
    piece.bytes.resize(text.size() / 4 * 3 + 3);
    const auto n =
        ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(piece.bytes.data()),
                          reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (n < 0) keys.complain("base64", "base64");
    // EVP counts the padding as bytes.
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    piece.bytes.resize(n < 0 ? 0 : static_cast<std::size_t>(n) - std::min(padding, static_cast<std::size_t>(n)));
    return keys.give(std::move(piece));
}

}  // namespace drover::http
