// One fan-out that a running `drover serve` does for this process: its rows and output come as if the phones were ours.
//
// Threads: sinks are called on the reading thread; the rest as Call. Failure: whatever becomes of the server, every target gets
// its one row: those that had none when the stream broke say DROVER.4001.
#pragma once
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/remote_stream.hpp"
#include "drover/fleet.hpp"
#include "http/call_request.hpp"

namespace drover::cli {

class RemoteCall final : public Call {
public:
    // ids: of the targets, in order. output may be null. The server keeps the request's deadline; past it one that is silent is left.
    RemoteCall(ServerChoice server, std::string target, const http::CallRequest& request, std::vector<std::string> ids,
               OutputSink* output, RowSink& sink);
    ~RemoteCall() override;

    void stop(Error why) override;
    void wait() override;

private:
    void on_event(std::string_view name, const boost::json::object& data);
    void on_row(const boost::json::object& data);
    void on_output(const boost::json::object& data);
    void on_end(const std::optional<Error>& why);
    void watch();
    bool server_stops(std::unique_lock<std::mutex>& lock);
    bool server_lives(std::unique_lock<std::mutex>& lock) const;
    void give_up(std::unique_lock<std::mutex>& lock, Error why);

    const ServerChoice server_;
    const std::vector<std::string> ids_;
    OutputSink* const output_;
    const std::optional<Millis> deadline_;
    RowSink& sink_;

    // The reading thread's alone.
    std::vector<bool> has_row_;
    bool begun_ = false;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::string call_id_;  // empty: not known yet
    std::optional<Error> stop_why_;
    std::optional<Error> given_up_;  // the server is silent: what the missing rows say
    bool done_ = false;
    bool held_ = false;                   // the output sink wants nothing more for now
    std::optional<RemoteStream> stream_;  // its thread uses all of the above
    std::thread watch_;                   // asks the server to stop, and whether it lives
};

}  // namespace drover::cli
