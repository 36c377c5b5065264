// Counters of the service, and their text in Prometheus's format. Any thread. Labels come from fixed sets, so that no client
// can make new series.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "drover/error.hpp"
#include "http/router.hpp"

namespace drover::http {

class Metrics {
public:
    // Upper bounds of the latency histogram, seconds.
    static constexpr std::array<double, 10> kBuckets{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30};

    void count_request(Call call, int status);
    // One final row; `took` from leaving the queue.
    void count_row(Code code, std::chrono::duration<double> took);
    void observe_sync(std::chrono::duration<double> took);
    void count_auth_failure() { ++auth_failures_; }

    struct Gauge {
        std::string name, help;
        std::vector<std::pair<std::string, double>> values;  // label text such as `status="2"`, or empty
        std::string_view type = "gauge";                     // or "counter", counted by whoever gives it
    };
    // Counters, then the gauges of this moment.
    std::string text(const std::vector<Gauge>& gauges) const;

private:
    struct Histogram {
        std::array<std::uint64_t, kBuckets.size() + 1> counts{};
        double sum = 0;
        void observe(double seconds);
        std::string text(std::string_view name, std::string_view help) const;
    };

    mutable std::mutex mutex_;
    std::map<std::pair<Call, int>, std::uint64_t> requests_;
    std::map<Code, std::uint64_t> rows_;
    Histogram sync_, row_seconds_;
    std::atomic<std::uint64_t> auth_failures_ = 0;
};

}  // namespace drover::http
