#include "cli/remote_stream.hpp"

#include <boost/json/parse.hpp>

#include "cli/server_client.hpp"
#include "http/sse.hpp"

namespace drover::cli {

RemoteStream::RemoteStream(const ServerChoice& server, std::string target, std::string body, OnEvent on_event,
                           OnEnd on_end)
    : on_event_(std::move(on_event)), on_end_(std::move(on_end)), stream_(server.url, {}) {
    const auto* const method = body.empty() ? "GET" : "POST";
    thread_ = std::thread([this, r = server.request(method, std::move(target), std::move(body))] { read(r); });
}

RemoteStream::~RemoteStream() {
    cancel();
    thread_.join();
}

void RemoteStream::read(const net::Request& request) { on_end_(read_events(request)); }

std::optional<Error> RemoteStream::read_events(const net::Request& request) {
    const auto head = stream_.open(request);
    if (!head) return lost(head.error());
    if (head->status != 200) {
        const auto data = data_of(*head);
        return data ? Error(Code::server_unreachable, "the server did not open a stream") : data.error();
    }
    http::EventReader reader;
    std::optional<Error> broken;
    bool ended = false;
    const auto take = [&](const http::EventReader::Event& event) {
        boost::system::error_code error;
        const auto value = boost::json::parse(event.data, error);
        if (error || !value.is_object()) {
            broken = Error(Code::server_unreachable, "the server sent an event that is not JSON");
            return;
        }
        ended = event.name == "end";
        on_event_(event.name, value.get_object());
    };
    const auto read = stream_.read([&](std::string_view piece) {
        if (!reader.take(piece, take))
            broken = Error(Code::server_unreachable, "the server sent an event without an end");
        if (broken) stream_.cancel();
    });
    if (broken) return broken;
    if (ended) return std::nullopt;
    return read ? Error(Code::server_unreachable, "the server ended the stream early") : lost(read.error());
}

}  // namespace drover::cli
