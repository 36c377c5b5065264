#include "report/doctor_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/json_view.hpp"
#include "base/utf8.hpp"
#include "report/printable.hpp"

namespace drover::report {
namespace {

namespace json = boost::json;
using fleet::Finding;
using fleet::FindingLevel;

// Names of devices and processes come from outside.
std::string clean(std::string_view text) { return printable(sanitize_utf8(text), Layout::escape); }

}  // namespace

std::size_t count(std::span<const Finding> findings, FindingLevel level) {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(), [level](const Finding& f) { return f.level == level; }));
}

std::string doctor_text(std::span<const Finding> findings) {
    std::string text;
    for (const auto& f : findings) {
        text += fmt::format("{:<8} {:<15} {}\n", to_string(f.level), f.topic, clean(f.what));
        if (!f.fix.empty()) text += fmt::format("{:<8}   do: {}\n", "", clean(f.fix));
        for (const auto& d : f.details) text += fmt::format("{:<8}     {}\n", "", clean(d));
    }
    return text;
}

std::string doctor_document(std::span<const Finding> findings) {
    json::array all;
    for (const auto& f : findings) {
        json::array details;
        for (const auto& d : f.details) details.emplace_back(sanitize_utf8(d));
        const auto level = to_string(f.level);
        json::object o;
        o["topic"] = f.topic;
        o["level"] = json_view(level);
        o["what"] = sanitize_utf8(f.what);
        o["fix"] = f.fix;
        o["details"] = std::move(details);
        all.push_back(std::move(o));
    }
    json::object document;
    document["schema"] = 1;
    document["problems"] = count(findings, FindingLevel::problem);
    document["warnings"] = count(findings, FindingLevel::warning);
    document["findings"] = std::move(all);
    return json::serialize(document) + "\n";
}

}  // namespace drover::report
