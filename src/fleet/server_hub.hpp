// What one adb server lists, shared by all phones that are reached through it: one tracker, on one loop, for the whole fleet.
//
// Threads: construction and destruction on the tracker's loop; a Subscription on the loop it names. Ownership: the fleet's;
// outlives its subscribers. Failure: a server that does not answer is a View with an error; the tracker tries again for ever.
#pragma once
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "adb/server_tracker.hpp"
#include "base/loop_pool.hpp"
#include "drover/error.hpp"

namespace drover::fleet {

// The list as last seen, or why there is none. Immutable.
struct ServerView {
    std::vector<adb::ServerDevice> devices;  // while the server is down: as it listed them last
    std::optional<Error> down;
};

class ServerListener {
public:
    // On the loop named by the subscription.
    virtual void on_view(const std::shared_ptr<const ServerView>& view) = 0;

protected:
    ~ServerListener() = default;
};

class ServerHub final : private adb::ServerTrackerSink {
public:
    ServerHub(Loop& loop, adb::ServerEndpoint endpoint);
    ~ServerHub();

    // The listener is told of the view there is, soon, and of each later one, until the subscription is destroyed (on `loop`).
    class Subscription {
    public:
        Subscription(ServerHub& hub, Loop& loop, ServerListener& listener);
        ~Subscription();
        Subscription(const Subscription&) = delete;
        Subscription& operator=(const Subscription&) = delete;

    private:
        friend class ServerHub;
        struct Target;
        ServerHub& hub_;
        std::shared_ptr<Target> target_;
    };

    const adb::ServerEndpoint& endpoint() const { return endpoint_; }
    // The view as it is; waits for the first one, at most `limit`, or until `stop`. Not on a loop. Null: none came.
    std::shared_ptr<const ServerView> view(std::chrono::milliseconds limit, const std::stop_token& stop);

private:
    void on_server_devices(const std::vector<adb::ServerDevice>& devices) override;
    void on_server_down(const Error& why) override;
    void start();  // with mutex_ held
    void publish(std::optional<std::vector<adb::ServerDevice>> devices, std::optional<Error> down);
    static void tell(const std::shared_ptr<Subscription::Target>& target, std::shared_ptr<const ServerView> view);

    Loop& loop_;
    const adb::ServerEndpoint endpoint_;
    adb::ServerTracker tracker_;
    std::mutex mutex_;
    std::condition_variable_any first_;
    std::shared_ptr<const ServerView> view_;  // null until the server was first heard of
    std::vector<std::shared_ptr<Subscription::Target>> targets_;
    bool started_ = false;
};

}  // namespace drover::fleet
