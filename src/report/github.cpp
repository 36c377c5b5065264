#include "report/github.hpp"

#include <fmt/format.h>

#include "report/failure.hpp"

namespace drover::report {
namespace {

enum class In : std::uint8_t { message, property };

std::string escaped(std::string_view text, In in) {
    std::string out;
    for (const char c : text) {
        if (c == '%') {
            out += "%25";
        } else if (c == '\r') {
            out += "%0D";
        } else if (c == '\n') {
            out += "%0A";
        } else if (c == ':' && in == In::property) {
            out += "%3A";
        } else if (c == ',' && in == In::property) {
            out += "%2C";
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace

std::string github_group_begin(const Row& row, std::string_view token) {
    const auto title = fmt::format("{}: {}", row.instance_id, row.ok() ? "ok" : failure_line(row));
    return fmt::format("::group::{}\n::stop-commands::{}\n", escaped(title, In::message), token);
}

std::string github_group_end(std::string_view token) { return fmt::format("::{}::\n::endgroup::\n", token); }

std::string github_annotation(const Row& row) {
    if (row.ok()) return {};
    return fmt::format("::error title={}::{}\n", escaped(row.instance_id, In::property),
                       escaped(failure_line(row), In::message));
}

}  // namespace drover::report
