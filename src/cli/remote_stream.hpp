// A call of a running `drover serve` whose events come over time, read by a thread of its own.
//
// Threads: the events come on the reading thread, on_end() last; stop() from any thread. Ownership: whoever made it outlives it;
// the destructor ends the stream. Failure: on_end() says why it ended, or nothing when it was whole.
#pragma once
#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "cli/server_choice.hpp"
#include "net/http_stream.hpp"

namespace drover::cli {

class RemoteStream {
public:
    using OnEvent = std::function<void(std::string_view name, const boost::json::object& data)>;
    using OnEnd = std::function<void(const std::optional<Error>& why)>;

    // Without a body it is a GET.
    RemoteStream(const ServerChoice& server, std::string target, std::string body, OnEvent on_event, OnEnd on_end);
    ~RemoteStream();
    RemoteStream(const RemoteStream&) = delete;
    RemoteStream& operator=(const RemoteStream&) = delete;

    void cancel() { stream_.cancel(); }

private:
    void read(const net::Request& request);
    std::optional<Error> read_events(const net::Request& request);

    const OnEvent on_event_;
    const OnEnd on_end_;
    net::HttpStream stream_;
    std::thread thread_;
};

}  // namespace drover::cli
