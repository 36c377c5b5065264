// A small seeded generator (splitmix64): the same seed gives the same faults on every machine. Pure; one thread.
#pragma once
#include <cstdint>

namespace drover::sim {

class Rng {
public:
    explicit Rng(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    double fraction() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // [0, 1)
    bool chance(double rate) { return rate > 0 && (rate >= 1 || fraction() < rate); }

private:
    std::uint64_t state_;
};

}  // namespace drover::sim
