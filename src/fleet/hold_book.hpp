// Which run holds which phone, since when, and until when: what keeps two runs apart that want the same phones.
//
// A run takes phones, all it wants or none, and has them until it releases them or, where it was given a time to live, until that is
// over. Phones are named by their ids, so that a fleet that is read again changes nothing.
//
// Pure: time comes in, nobody is told. One thread. Failure: a take that cannot be granted changes nothing and gives nothing.
// Limits: kHolderRunsMax runs; the phones are those of the fleet.
#pragma once
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/timer_wheel.hpp"
#include "drover/error.hpp"

namespace drover::fleet {

constexpr std::size_t kHolderRunsMax = 10'000;

struct Holder {
    std::string run;    // its id
    std::string owner;  // whose it is: a tenant
    std::string job;    // its name, for people
};

struct Hold {
    std::shared_ptr<const Holder> holder;
    std::chrono::system_clock::time_point since;

    // "held by RUN since 2024-01-01T00:00:00Z (job NAME)"
    std::string text() const;
};

class HoldBook {
public:
    struct Now {
        TimePoint time;
        std::chrono::system_clock::time_point date;  // for people
    };
    // How many of the candidates; with fewer than at_least nothing is taken.
    struct Want {
        std::size_t at_least = 0;
        std::size_t at_most = static_cast<std::size_t>(-1);
    };

    // The phones that the run has now, in the order of the candidates, each of which stands there once: those that nobody else holds,
    // the first ones first. One that it has already counts. until: for all phones of the run; nullopt: until it releases them.
    std::vector<std::string> take(const Holder& holder, std::span<const std::string> candidates, Want want, Now now,
                                  std::optional<TimePoint> until);
    // False: the run holds nothing, its time was over.
    bool renew(std::string_view run, Now now, std::optional<TimePoint> until);
    // Whether any phone became free.
    bool release(std::string_view run);
    bool expire(TimePoint now);

    const Hold* find(const std::string& id) const;  // null: nobody holds it
    std::size_t phones() const { return phones_.size(); }

    struct Run {
        std::shared_ptr<const Holder> holder;
        std::vector<std::string> ids;
        std::optional<TimePoint> until;
    };
    const Run* run(std::string_view id) const;  // null: it holds nothing

private:
    using Runs = std::map<std::string, Run, std::less<>>;
    void set_end(Run& run, std::optional<TimePoint> until);
    void free(const Run& run);

    std::unordered_map<std::string, Hold> phones_;
    Runs runs_;
    TimePoint next_end_ = TimePoint::max();  // none is sooner: most questions find nothing to expire
};

}  // namespace drover::fleet
