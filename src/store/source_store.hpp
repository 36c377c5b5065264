// What a controller keeps for the agents it drives: sources (one per agent), a queue of commands for each, and their results.
// It lives in the task store's file.
//
// A queue's head is its oldest STOP or DELETE, else its oldest command; it stays the head until a result takes it off, so that a
// command is delivered at least once. Threads: all calls from any thread; find(), list() and commands() block on the disk and are
// not for loops. A callback comes once, from the writer's thread, after the change is on disk; it must not block.
// Failure: Code::store_failed.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite_file.hpp"

namespace drover::store {

struct Source {
    std::string server_id;
    std::string tenant;  // who may use it; empty: every tenant that may use all instances
    std::int64_t created_ms = 0;
    std::optional<std::int64_t> polled_ms;  // last, to about a minute
    std::uint64_t waiting = 0, delivered = 0;
};

enum class CommandState : std::uint8_t { waiting = 0, delivered = 1, done = 2 };

struct SourceCommand {
    std::int64_t number = 0;  // in the order of enqueuing
    std::string name;
    std::optional<std::string> task_id, bucket;
    CommandState state = CommandState::waiting;
    std::int64_t created_ms = 0;
    std::optional<std::int64_t> delivered_ms, ended_ms;
    std::string result;  // once done: "success" or "fail"
    std::string detail;  // once done: the result's details, a JSON object
};

// A report, as it came and as it was read.
struct SourceResult {
    std::string bytes;
    std::string name;
    std::optional<std::string> task_id;
    std::string result, detail;
};

enum class SourceAdded : std::uint8_t { added, known, taken, full };
enum class CommandAdded : std::uint8_t { added, merged, full };
enum class ResultTaken : std::uint8_t { accepted, repeated, unmatched };

class SourceStore {
public:
    static constexpr std::size_t kSourcesMax = 10'000;
    static constexpr std::size_t kOpenCommandsMax = 1'000;  // of a source, without a result
    static constexpr std::size_t kResultsKept = 500;        // of a source; older ones are forgotten
    static constexpr std::size_t kListMax = 1'000;
    static constexpr std::int64_t kPolledStepMs = 60'000;

    template <class T>
    using Done = std::function<void(Result<T>)>;

    explicit SourceStore(std::shared_ptr<SqliteFile> file) : file_(std::move(file)) {}

    void add(Source source, Done<SourceAdded> done);
    // Equal to one still waiting: merges with it, and its number comes back.
    void enqueue(std::string server_id, SourceCommand command, Done<std::pair<CommandAdded, std::int64_t>> done);
    // The head, marked delivered; nullopt: nothing to do.
    void take(std::string server_id, std::int64_t now_ms, Done<std::optional<SourceCommand>> done);
    // Equal to the byte to the last accepted one: `repeated`, and nothing changes. Else it ends the oldest delivered command of
    // its name (and task, if it says one).
    void accept(std::string server_id, SourceResult result, std::int64_t now_ms, Done<ResultTaken> done);

    Result<std::optional<Source>> find(std::string_view server_id);
    // By server_id; of one tenant, or all when empty.
    Result<std::vector<Source>> list(std::string_view tenant);
    // The youngest first.
    Result<std::vector<SourceCommand>> commands(std::string_view server_id, std::size_t max);

private:
    const std::shared_ptr<SqliteFile> file_;
};

}  // namespace drover::store
