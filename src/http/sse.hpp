// Server-Sent Events: the text of one, and a reader that takes a stream in whatever pieces it comes. Pure; one thread.
// Failure: a reader that gets more than kEventBytesMax without an event's end says so, and takes nothing more.
#pragma once
#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <string_view>

namespace drover::http {

constexpr std::size_t kEventBytesMax = 64 * 1024 * 1024;
constexpr std::string_view kHeartbeat = ": still here\n\n";  // a comment: readers pass over it

// "event: NAME\ndata: {...}\n\n". `data` stands on one line: serialized JSON has no line break of its own.
std::string event_text(std::string_view name, const boost::json::object& data);
// The last event of a stream that ends before its client goes.
std::string end_text(std::string_view why);

class EventReader {
public:
    struct Event {
        std::string name, data;
    };
    // Gives every event that `bytes` completes, in order. False: too much without an end.
    bool take(std::string_view bytes, const std::function<void(const Event&)>& on_event);

private:
    void take_line(std::string_view line, const std::function<void(const Event&)>& on_event);

    std::string line_;
    Event event_;
    bool broken_ = false;
};

}  // namespace drover::http
