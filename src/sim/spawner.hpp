// Starts and buries the commands of virtual phones, on a thread of its own: fork, file system and waiting never stop a
// loop, and a child dies with this thread, should the program end in a hurry; the watchdog then ends what it has started.
//
// spawn() and bury() may be called from any thread; `done` runs on the given loop. Children are handed to the caller,
// who hands each back by bury(). stop() kills what is left; later calls do nothing.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/loop_pool.hpp"
#include "base/watchdog.hpp"
#include "base/work_pool.hpp"
#include "drover/error.hpp"
#include "sim/userland.hpp"

namespace drover::sim {

struct Child {
    pid_t pid = -1;  // also its process group and session
    UniqueFd pidfd;  // readable when it has ended
    UniqueFd in;     // our ends; none of them blocks
    UniqueFd out;
    UniqueFd err;  // empty when stderr goes to out
    std::shared_ptr<Home> home;
};

// Where a phone's files are, and as whom they are touched: empty for this process's own user.
struct Place {
    std::shared_ptr<Home> home;
    std::optional<uid_t> user;
};

struct SpawnRequest {
    std::string id;  // of the phone
    std::uint32_t number = 0;
    std::map<std::string, std::string> properties;  // for the phone's directory, when this is its first command
    std::vector<std::string> packages;
    std::string command;  // empty: interactive
    std::string term;
    bool merge_stderr = false;
    bool pty = false;
};

class Spawner {
public:
    using Done = std::function<void(Result<Child>)>;
    static constexpr std::size_t kDiskThreads = 2;

    // No watchdog: only for a userland that refuses all commands.
    Spawner(std::shared_ptr<Userland> userland, std::unique_ptr<Watchdog> watchdog);
    ~Spawner() { stop(); }
    Spawner(const Spawner&) = delete;
    Spawner& operator=(const Spawner&) = delete;

    void spawn(SpawnRequest request, Loop& loop, Done done);
    // Makes the phone's directory if need be; no command is started.
    void place(SpawnRequest request, Loop& loop, std::function<void(Result<Place>)> done);
    // Threads for reading and writing phones' files.
    WorkPool& disk() { return disk_; }
    // Kills the whole process group and waits for its leader.
    void bury(pid_t pid);
    void stop();

private:
    void run();
    void push(std::function<void()> job);
    Result<Child> start(const SpawnRequest& request);
    void end(pid_t pid);
    Result<Place> place_of(const SpawnRequest& request);

    std::shared_ptr<Userland> userland_;
    std::unique_ptr<Watchdog> watchdog_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> jobs_;  // guarded by mutex_
    bool stopping_ = false;                   // guarded by mutex_
    std::set<pid_t> living_;                  // the spawner's thread only
    WorkPool disk_{kDiskThreads};
    std::thread thread_;
};

}  // namespace drover::sim
