#include "http/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace drover::http {
namespace {

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

}  // namespace

void Metrics::count_request(Call call, int status) {
    const std::lock_guard lock(mutex_);
    ++requests_[{call, status}];
}

void Metrics::Histogram::observe(double seconds) {
    const auto bucket = std::lower_bound(kBuckets.begin(), kBuckets.end(), seconds) - kBuckets.begin();
    ++counts[static_cast<std::size_t>(bucket)];
    sum += seconds;
}

std::string Metrics::Histogram::text(std::string_view name, std::string_view help) const {
    std::string out;
    head(out, name, "histogram", help);
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < kBuckets.size(); ++i) {
        total += counts[i];
        out += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, kBuckets[i], total);
    }
    total += counts.back();
    return out + fmt::format("{0}_bucket{{le=\"+Inf\"}} {1}\n{0}_sum {2}\n{0}_count {1}\n", name, total, sum);
}

void Metrics::count_row(Code code, std::chrono::duration<double> took) {
    const std::lock_guard lock(mutex_);
    ++rows_[code];
    row_seconds_.observe(took.count());
}

void Metrics::observe_sync(std::chrono::duration<double> took) {
    const std::lock_guard lock(mutex_);
    sync_.observe(took.count());
}

std::string Metrics::text(const std::vector<Gauge>& gauges) const {
    std::string out;
    const std::lock_guard lock(mutex_);
    head(out, "drover_http_requests_total", "counter", "Requests by call and HTTP status.");
    for (const auto& [key, n] : requests_) {
        out += fmt::format("drover_http_requests_total{{call=\"{}\",status=\"{}\"}} {}\n", to_string(key.first),
                           key.second, n);
    }
    head(out, "drover_auth_failures_total", "counter", "Requests without good credentials.");
    out += fmt::format("drover_auth_failures_total {}\n", auth_failures_.load());
    head(out, "drover_rows_total", "counter", "Final rows by code and class.");
    for (const auto& [code, n] : rows_) {
        const auto& entry = info(code);
        out += fmt::format("drover_rows_total{{code=\"{}\",class=\"{}\"}} {}\n", code == Code::ok ? "ok" : entry.name,
                           to_string(entry.cls), n);
    }
    out += row_seconds_.text("drover_row_seconds", "Time of each phone from leaving the queue to its row.");
    out += sync_.text("drover_sync_seconds", "Time from a sync-command's dispatch to its last row.");
    for (const auto& gauge : gauges) {
        head(out, gauge.name, gauge.type, gauge.help);
        for (const auto& [labels, value] : gauge.values) {
            out += labels.empty() ? fmt::format("{} {}\n", gauge.name, value)
                                  : fmt::format("{}{{{}}} {}\n", gauge.name, labels, value);
        }
    }
    return out;
}

}  // namespace drover::http
