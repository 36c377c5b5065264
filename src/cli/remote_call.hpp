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

namespace drover::cli {

class RemoteCall final : public Call {
public:
    // ids: of the targets, in order. body: of the call. output may be null.
    RemoteCall(ServerChoice server, std::string target, std::string body, std::vector<std::string> ids,
               OutputSink* output, RowSink& sink);
    ~RemoteCall() override;

    void stop(Error why) override;
    void wait() override;

private:
    void on_event(std::string_view name, const boost::json::object& data);
    void on_row(const boost::json::object& data);
    void on_output(const boost::json::object& data);
    void on_end(const std::optional<Error>& why);
    void carry_out_stop();

    const ServerChoice server_;
    const std::vector<std::string> ids_;
    OutputSink* const output_;
    RowSink& sink_;

    // The reading thread's alone.
    std::vector<bool> has_row_;
    bool begun_ = false;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::string call_id_;  // empty: not known yet
    std::optional<Error> stop_why_;
    std::thread stopping_;   // asks the server; its answer is that rows come
    bool given_up_ = false;  // it was asked, and is silent
    bool done_ = false;
    bool held_ = false;                   // the output sink wants nothing more for now
    std::optional<RemoteStream> stream_;  // last: its thread uses all the others
};

}  // namespace drover::cli
