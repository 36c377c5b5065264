// Hears from a running `drover serve` when other phones are there than before.
//
// `changed` comes on a thread of its own, also when the server is gone. Ownership: the destructor ends it; no call follows.
// Failure: why() says why no more will come.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>

#include "cli/remote_stream.hpp"

namespace drover::cli {

class RemoteChanges {
public:
    RemoteChanges(const ServerChoice& server, std::function<void()> changed);
    ~RemoteChanges() { closing_ = true; }

    // Waits until the server has said so: whether phones come there by themselves. nullopt: it cannot tell of changes, or says
    // nothing in time.
    static constexpr std::chrono::milliseconds kFirstWordMax{10'000};
    std::optional<bool> may_come(std::chrono::milliseconds limit, const std::atomic<bool>* abandon);
    std::optional<Error> why();

private:
    void on_event(std::string_view name, const boost::json::object& data);
    void on_end(const std::optional<Error>& why);

    const std::function<void()> changed_;
    std::atomic<bool> closing_ = false;  // the end of the stream is our own
    std::mutex mutex_;
    std::condition_variable told_;
    std::optional<bool> may_come_;
    std::optional<Error> why_;
    RemoteStream stream_;  // last: its thread uses the others
};

}  // namespace drover::cli
