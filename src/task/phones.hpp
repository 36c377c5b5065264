// What tasks and the HTTP API need of a fleet, by instance id: an interface, so that both can be tried without phones.
//
// Threads: any. Ownership: a Call must be destroyed before the Phones it came from, and not from inside its sink. Failure: a
// phone that cannot run a command gets a row that says why.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drover/fleet.hpp"
#include "fleet/holds.hpp"

namespace drover::task {

class Phones {
public:
    virtual ~Phones() = default;

    virtual bool knows(const std::string& id) const = 0;
    virtual std::vector<std::string> ids() const = 0;
    // The ids that a selector matches, disabled phones too: whoever may use a phone may ask why it takes nothing.
    virtual Result<std::vector<std::string>> select(std::string_view selector) const = 0;
    // What is known now; nullopt: no such phone.
    virtual std::optional<PhoneStatus> status(const std::string& id) const = 0;
    // Phones that came back after their link was lost, since the start.
    virtual std::uint64_t reconnects() const { return 0; }
    // The fleet itself, as it is now, for calls that name phones by selector or run jobs; null where there is none. Calls on it
    // are over before it is let go.
    virtual std::shared_ptr<Fleet> fleet() const { return nullptr; }
    // Which runs have which phones for themselves. Whoever sends commands hands in holds().admission(), or shares.
    virtual fleet::Holds& holds() = 0;
    // One row per id, row.index is its position in `ids`. An id that is not in the fleet gets a row too.
    virtual std::unique_ptr<Call> exec(const std::vector<std::string>& ids, ExecOptions options, RowSink& sink) = 0;
};

}  // namespace drover::task
