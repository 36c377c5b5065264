// When an agent speaks to its controller again: the interval with jitter, and what it does when that goes wrong. Pure: time and
// chance are handed in. One thread.
#pragma once
#include <cstdint>
#include <functional>

#include "base/duration.hpp"

namespace drover::agent {

// What came of one request.
enum class Verdict : std::uint8_t {
    ok,
    failed,    // no answer, 429, 5xx: sooner at first, then later and later
    denied,    // 401, 403: slowly, until the credentials change
    missing,   // 404: slowly
    rejected,  // 400: what was sent is wrong
    odd,       // anything else: slowly
};
// status 0: there was no answer.
Verdict verdict_of(int status);

struct PaceOptions {
    Millis interval{30'000};
    Millis retry{1'000};        // after the first failure; twice as long after each further one
    Millis retry_max{300'000};  // at most; and the slow retry
};

constexpr double kJitter = 0.1;  // either way

class Pace {
public:
    using Random = std::function<double()>;  // 0 to 1
    Pace(PaceOptions options, Random random) : options_(options), random_(std::move(random)) {}

    // How long to wait after this one.
    Millis after(Verdict verdict);
    // The next one is the first again.
    void forgive() { failures_ = 0; }

private:
    Millis jittered(Millis d);

    const PaceOptions options_;
    const Random random_;
    unsigned failures_ = 0;  // in a row
};

}  // namespace drover::agent
