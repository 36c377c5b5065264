#include "base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

#include "base/utf8.hpp"

namespace drover::log {
namespace {

spdlog::logger& logger() {
    static const auto instance = [] {
        auto l = std::make_shared<spdlog::logger>("drover", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
        l->set_pattern("drover: %^%l%$: %v");
        l->set_level(spdlog::level::warn);
        return l;
    }();
    return *instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug: return spdlog::level::debug;
        case Level::info: return spdlog::level::info;
        case Level::warn: return spdlog::level::warn;
        case Level::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

// For the inside of a JSON string.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : sanitize_utf8(text)) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out += c;
        }
    }
    return out;
}

std::atomic<bool> as_json = false;

}  // namespace

void set_form(Form form) {
    as_json = form == Form::json;
    logger().set_pattern(form == Form::json ? "{\"time\":\"%Y-%m-%dT%H:%M:%S.%e%z\",\"level\":\"%l\",\"message\":\"%v}"
                                            : "drover: %^%l%$: %v");
}

void set_level(Level level) { logger().set_level(to_spdlog(level)); }
bool enabled(Level level) { return logger().should_log(to_spdlog(level)); }
void write(Level level, std::string_view text) { event(level, text, {}); }
// The pattern of JSON leaves the message's last quote to this, so that more members can follow it.
void event(Level level, std::string_view message, std::initializer_list<Field> fields) {
    if (!enabled(level)) return;
    std::string line = as_json ? escaped(message) + '"' : std::string(message);
    for (const auto& field : fields) {
        line += as_json ? fmt::format(",\"{}\":\"{}\"", field.name, escaped(field.value))
                        : fmt::format(" {}={}", field.name, field.value);
    }
    logger().log(to_spdlog(level), "{}", line);
}

}  // namespace drover::log
