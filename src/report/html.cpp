#include "report/html.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.hpp"
#include "report/failure.hpp"
#include "report/junit.hpp"

namespace drover::report {
namespace {

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root{color-scheme:light dark;--ok:#2a8a4a;--failed:#c5303a;--continued:#b7791f;--skipped:#9aa3ad;--line:#8884}
body{font:14px/1.4 system-ui,sans-serif;margin:1.5rem;max-width:110rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
.sum{margin:.3rem 0 1rem}.ok{--c:var(--ok)}.failed{--c:var(--failed)}.continued{--c:var(--continued)}.skipped{--c:var(--skipped)}
table{border-collapse:collapse}.wide{overflow-x:auto}
th,td{border:1px solid var(--line);padding:.15rem .5rem;text-align:left;white-space:nowrap}
thead th{position:sticky;top:0;background:Canvas;font-weight:600;max-width:12rem;overflow:hidden;text-overflow:ellipsis}
td.c{color:#fff;background:var(--c);text-align:right}td.skipped{color:#0009}
.bar{position:relative;height:1.1rem;width:60rem;background:var(--line)}
.bar i{position:absolute;top:0;bottom:0;min-width:2px;background:var(--c);border-right:1px solid Canvas}
.why{white-space:normal;max-width:50rem}details{margin:.2rem 0}summary{cursor:pointer}
summary b{color:var(--c)}pre{margin:.2rem 0 .6rem 1rem;padding:.4rem;border-left:3px solid var(--c);background:var(--line);overflow-x:auto}
.note{opacity:.75}.files{margin:.2rem 0 .6rem 1rem}
</style>)";

std::string title_of(const StepResult& step) {
    return step.combination.empty() ? step.name : fmt::format("{} ({})", step.name, step.combination);
}

std::string_view status_of(const Row& row) { return row.ok() ? "ok" : "failed"; }

std::string tip_of(const StepResult& step) {
    auto text = fmt::format("{}: {}", title_of(step), step_status(step));
    if (step.exit_code) text += fmt::format(", exit code {}", *step.exit_code);
    if (step.attempts > 1) text += fmt::format(", {} attempts", step.attempts);
    if (!step.error_msg.empty()) text += fmt::format(", {}: {}", info(step.code).name, step.error_msg);
    return xml_text(text);
}

std::string grid(std::span<const Row> rows, const Row* widest) {
    std::string text = "<div class=\"wide\"><table id=\"grid\"><thead><tr><th>phone</th>";
    for (const auto& step : widest->steps) text += fmt::format("<th title=\"{0}\">{0}</th>", xml_text(title_of(step)));
    text += "<th>time</th><th>result</th></tr></thead><tbody>\n";
    for (const auto& row : rows) {
        text += fmt::format("<tr><th>{}</th>", xml_text(row.instance_id));
        for (const auto& step : row.steps) {
            text += fmt::format("<td class=\"c {}\" title=\"{}\">{}</td>", step_status(step), tip_of(step),
                                step.skipped ? "skipped" : human_ms(step.ms));
        }
        if (row.steps.size() < widest->steps.size())
            text += fmt::format("<td class=\"note\" colspan=\"{}\">not begun</td>",
                                widest->steps.size() - row.steps.size());
        text += fmt::format("<td>{}</td><td class=\"why {}\">{}</td></tr>\n", human_ms(row.ms), status_of(row),
                            row.ok() ? "ok" : xml_text(failure_line(row)));
    }
    return text + "</tbody></table></div>\n";
}

std::string timeline(std::span<const Row> rows) {
    std::uint64_t longest = 1;
    for (const auto& row : rows) longest = std::max(longest, row.ms);
    const auto percent = [&](std::uint64_t ms) {
        return static_cast<double>(ms) * 100.0 / static_cast<double>(longest);
    };
    auto text = fmt::format(
        "<h2>When</h2><p class=\"note\">Each phone from its own start; the whole width is {}.</p>\n"
        "<div class=\"wide\"><table id=\"timeline\">\n",
        human_ms(longest));
    for (const auto& row : rows) {
        text += fmt::format("<tr><th>{}</th><td><div class=\"bar\">", xml_text(row.instance_id));
        for (const auto& step : row.steps) {
            if (step.skipped) continue;
            text += fmt::format("<i class=\"{}\" style=\"left:{:.2f}%;width:{:.2f}%\" title=\"{}, {}\"></i>",
                                step_status(step), percent(step.begin_ms), percent(step.ms), tip_of(step),
                                human_ms(step.ms));
        }
        text += "</div></td></tr>\n";
    }
    return text + "</table></div>\n";
}

// For href: whatever a path may hold that a URL would read otherwise.
std::string url_of(std::string_view path) {
    std::string out;
    for (const char c : path) {
        const bool plain = is_alnum(c) || c == '/' || c == '-' || c == '.' || c == '_' || c == '~';
        out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

// What an older run kept elsewhere is there still.
std::string files_of(const StepResult& step, std::string_view artifacts) {
    if (!step.files_dir.empty()) artifacts = step.files_dir;
    if (step.files.empty()) return {};
    std::string text = "<p class=\"files\">";
    for (const auto& file : step.files) {
        const auto name = xml_text(file);
        if (&file != &step.files.front()) text += "<br>";
        text +=
            artifacts.empty() ? name : fmt::format("<a href=\"{}/{}\">{}</a>", url_of(artifacts), url_of(file), name);
    }
    return text + "</p>\n";
}

std::string output_of(const Row& row, std::string_view artifacts) {
    std::string text =
        fmt::format("<details{}><summary class=\"{}\"><b>{}</b> {}</summary>\n", row.ok() ? "" : " open",
                    status_of(row), xml_text(row.instance_id), row.ok() ? "ok" : xml_text(failure_line(row)));
    for (const auto& step : row.steps) {
        if (step.skipped) continue;
        const auto piece = row.execute_msg.substr(step.output_begin, step.output_end - step.output_begin);
        if (piece.empty() && step.code == Code::ok && step.tests.empty() && step.files.empty()) continue;
        text += fmt::format("<div class=\"{}\">{}<pre>{}", step_status(step), tip_of(step), xml_text(piece));
        for (const auto& test : step.tests)
            text += fmt::format("{}: {} {} {}\n", to_string(test.verdict), xml_text(test.suite), xml_text(test.name),
                                xml_text(test.message));
        text += fmt::format("</pre>{}</div>\n", files_of(step, artifacts));
    }
    if (row.steps.empty() && !row.execute_msg.empty())
        text += fmt::format("<pre>{}</pre>\n", xml_text(row.execute_msg));
    if (row.truncated) text += fmt::format("<p class=\"note\">{}</p>\n", xml_text(truncation_line(row)));
    return text + "</details>\n";
}

}  // namespace

std::string document_html(std::string_view name, const Summary& summary, std::span<const Row> rows,
                          std::string_view artifacts) {
    const Row none;
    const Row* widest = &none;
    for (const auto& row : rows) {
        if (row.steps.size() > widest->steps.size()) widest = &row;
    }
    auto text = fmt::format("{}<title>{}</title></head>\n<body><h1>{}</h1>\n<p class=\"sum\">{}; exit code {}</p>\n",
                            kHead, xml_text(name), xml_text(name), xml_text(summary_line(summary)), summary.exit_code);
    text += grid(rows, widest);
    if (!widest->steps.empty()) text += timeline(rows);
    text += "<h2>Outputs</h2>\n";
    for (const auto& row : rows) text += output_of(row, artifacts);
    return text + "</body></html>\n";
}

}  // namespace drover::report
