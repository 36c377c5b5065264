// What an agent must not forget: which commands it has taken and how they ended, and how a task's phones did.
//
// An interface, so that the agent can be tried without a disk and with one that fails. Threads: one, the agent's; the calls block
// on the disk, and what they changed is durable when they return. Failure: Code::store_failed; nothing was changed.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/command.hpp"
#include "drover/error.hpp"

namespace drover::agent {

// Written before the step it names: `running` before anything is opened, `done` before it is reported.
enum class EntryState : std::uint8_t { received = 0, running = 1, done = 2, reported = 3, rejected = 4 };

struct Entry {
    Command command;
    EntryState state = EntryState::received;
    std::int64_t order = 0;       // of being received
    std::int64_t done_order = 0;  // of being done; reports go in this order
    std::int64_t started_ms = 0;  // since 1970, UTC
    std::string report;           // once done: the bytes to send, always the same
};

class Ledger {
public:
    virtual ~Ledger() = default;

    virtual Result<std::vector<Entry>> load() = 0;  // by order
    virtual Result<void> put(const Entry& entry) = 0;
    virtual Result<void> erase(const Key& key) = 0;

    // Of a task's last START and what came after: which phones it ended on, and whether it ended well.
    virtual Result<void> forget_task(std::string_view task_id) = 0;
    virtual Result<void> record(std::string_view task_id, const std::vector<std::pair<std::string, bool>>& phones) = 0;
    virtual Result<std::map<std::string, bool>> ended(std::string_view task_id) = 0;
};

}  // namespace drover::agent
