// What an operation opens on a phone, one stream after the other; each leg may depend on what the one before found out.
// Threads: the phone's loop. Ownership: the operation's; a leg's task may share state with its script, which the script reads
// only when the task is done.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "adb/stream.hpp"
#include "fleet/state.hpp"
#include "transfer/stream_task.hpp"

namespace drover::transfer {

struct Leg {
    std::string service;  // as in OPEN: "sync:", "exec:screencap -p"
    std::unique_ptr<StreamTask> task;
};

// What an operation shows of itself on the second axis of a phone's status.
struct Shown {
    fleet::Activity during, done, failed;
    std::string_view what;
};

class Script {
public:
    virtual ~Script() = default;
    // The next leg; none: all is done. An error: this phone cannot do it.
    virtual Result<std::optional<Leg>> next(const adb::Peer& peer) = 0;
    // What is left on the phone after a failure or a stop: a shell command that removes it, run once, for a short time.
    virtual std::optional<std::string> clean_up() { return std::nullopt; }
    virtual std::optional<Shown> shown() const { return std::nullopt; }
};

}  // namespace drover::transfer
