// The fleet: opened from an inventory and discovery, it keeps a link to each phone that was asked for and runs commands.
//
// Threads: a Fleet may be used from any thread, one call at a time; it runs its own loops. RowSink and OutputSink are called
// on those loops. Ownership: a Call and everything it was given must be gone, or done, before its Fleet. Failure: Result for what
// is wrong before anything was sent; after that, a row per target.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "drover/command.hpp"
#include "drover/error.hpp"
#include "drover/instance.hpp"
#include "drover/row.hpp"
#include "drover/upkeep.hpp"

namespace drover {

// Bulk transfers of files and packages at once: they share the host's controllers, and the hubs that phones hang on.
struct TransferTurns {
    std::size_t per_host = 8;
    std::size_t per_hub = 4;  // of USB phones on one hub
};

struct FleetOptions {
    std::optional<std::filesystem::path> inventory;  // without one: what the adb server lists, and phones on USB
    std::filesystem::path state_dir;                 // accepted keys, disabled phones; empty: nothing is remembered
    std::size_t loops = 0;                           // threads; 0: as many as the fleet and the machine warrant
    bool delayed_ack = true;
    bool may_be_empty =
        false;  // without an inventory, an adb server and a phone on USB: no error; phones may come later
    // Of the call that it is opened for: each wait in it (the adb server, USB, phones that must be told apart) takes at most half of
    // what is left.
    std::optional<std::chrono::milliseconds> deadline;
    std::chrono::milliseconds connect = Limits{}.connect;  // less than usual bounds each of those waits too
    // Ends those waits, and those of select() and probe(), when it is requested: open(), renew() and select() fail with
    // Code::interrupted.
    std::stop_token stop;
    Upkeep upkeep;
    TransferTurns transfers;  // what the steps of all jobs together may take
};

// What is known of one phone right now.
struct PhoneInfo {
    Instance instance;
    std::string adb_state;  // adb's own word; "offline" until a link was tried
    std::string why;        // one line: the reason of the state
    std::string product, model, device;
    std::string held_by;  // "held by RUN since ...", for phones of a server; empty: by no run
};

// The state of one phone as the HTTP API documents it, and the reason for it.
struct PhoneStatus {
    std::size_t instance = 0;  // index into Fleet::instances()
    int status = 1;            // 0 unknown, 1 stopped, 2 running, 3 being brought offline, 4 starting, 5 shut down
    int activity = 0;          // 0 idle; api: the second axis
    int adb_state = 6;         // adb's own number, 6 offline, 8 device
    std::string condition;     // one word more exact than status: "booting", "unauthorized", "offline"
    std::string why;           // one line
    std::chrono::system_clock::time_point since;
    std::string held_by;  // as PhoneInfo's
};

class StatusSink {
public:
    // The state of each watched phone once at the start, then every change. From loop threads, one at a time, in order per
    // phone; must not block.
    virtual void on_status(PhoneStatus status) = 0;

protected:
    ~StatusSink() = default;
};

// Phones under watch: kept connected, and asked whether they have booted. Destroying it ends the watch; no callback follows.
class Watch {
public:
    virtual ~Watch() = default;
};

// The targets of a call, in inventory order, without duplicates.
struct Selection {
    std::vector<std::size_t> targets;      // indices into Fleet::instances()
    std::size_t disabled_left_out = 0;     // matched by a pattern, but disabled, or out of service for its health
    std::vector<std::size_t> disabled;     // which those are
    std::vector<std::string> unknown_ids;  // written as plain ids, but not in the fleet
};

class RowSink {
public:
    virtual void on_row(Row row) = 0;  // one at a time, from loop threads; must not block
    virtual void on_done() = 0;        // after the last row; the last call

protected:
    ~RowSink() = default;
};

// Of a phone's stdout and stderr, in bytes.
struct OutputLengths {
    std::uint64_t out = 0;
    std::uint64_t err = 0;
};

// Sees every output byte of every phone, not only what rows keep. Called on loop threads, of one phone always the same one.
// `later` from on_output holds the phone back until resume() is called (any thread): that is how a slow disk bounds memory.
class OutputSink {
public:
    enum class Flow : std::uint8_t { go_on, later };
    virtual Flow on_output(std::size_t target, OutputStream stream, std::string_view bytes,
                           std::function<void()> resume) = 0;
    // Calls `then` when all output of this phone is where it stays, even if this process is killed: at once, or later on any
    // thread; of one phone in the order of the calls.
    virtual void when_kept(std::size_t /*target*/, std::function<void()> then) { then(); }
    // How long this phone's files are when all that was given so far is in them; nullopt: there are none. On the phone's loop.
    virtual std::optional<OutputLengths> lengths(std::size_t /*target*/) { return std::nullopt; }

protected:
    ~OutputSink() = default;
};

// Asked when a phone's turn has come, on its loop; must not block. An error is its row, and nothing is sent to it.
using Admit = std::function<std::optional<Error>(const Instance& phone)>;

struct ExecOptions {
    Command command;
    std::size_t max_parallel = 0;                       // phones at work at once; 0: all
    std::optional<std::chrono::milliseconds> deadline;  // of the whole call
    OutputSink* output = nullptr;
    Admit admit;  // none: every phone is sent the command
};

// One fan-out under way.
class Call {
public:
    virtual ~Call() = default;  // waits for the last row
    // Ends what runs and what is queued: streams are closed on the phones, every phone without a row gets one with `why`.
    // Any thread, any number of times; the first reason counts.
    virtual void stop(Error why) = 0;
    virtual void wait() = 0;  // until on_done() has returned
};

class Fleet {
public:
    // Raises this process's soft limit of open descriptors to the hard one: each phone needs one.
    static Result<std::unique_ptr<Fleet>> open(const FleetOptions& options);
    // The fleet as inventory, disable marks and discovery say now. Phones that are as they were are shared with this one: their
    // links, their history and what runs on them stay. An error: this fleet stays as it is.
    Result<std::unique_ptr<Fleet>> renew() const;
    ~Fleet();
    // `changed` is called (from a loop thread, maybe often) when discovery sees other phones than this fleet has: renew() then
    // tells which. An empty function ends it; none is called once this has returned.
    void on_discovery(std::function<void()> changed);
    bool discovers() const;  // whether phones may come that are not in the inventory

    const std::vector<Instance>& instances() const;
    // Connects to phones only where the selector asks for a state, and waits for each as long as `connect`.
    Result<Selection> select(std::string_view selector, std::chrono::milliseconds connect = Limits{}.connect);
    // Links to each target within `connect`, and tells what is known of it; in target order.
    std::vector<PhoneInfo> probe(const std::vector<std::size_t>& targets, std::chrono::milliseconds connect);
    std::unique_ptr<Call> exec(const std::vector<std::size_t>& targets, ExecOptions options, RowSink& sink);

    std::unique_ptr<Watch> watch(const std::vector<std::size_t>& targets, StatusSink& sink);
    // What is known now, without connecting to anything; the current state last, at most a few dozen older ones before it.
    std::vector<PhoneStatus> history(std::size_t target);

    struct Impl;
    Impl& impl() { return *impl_; }

private:
    explicit Fleet(std::unique_ptr<Impl> impl);
    static Result<std::unique_ptr<Fleet>> make(std::unique_ptr<Impl> impl, const Impl* before);
    void settle();
    std::unique_ptr<Impl> impl_;
};

}  // namespace drover
