#include "http/sse.hpp"

#include <boost/json/serialize.hpp>
#include <utility>

#include "base/json_view.hpp"

namespace drover::http {

std::string event_text(std::string_view name, const boost::json::object& data) {
    std::string text = "event: ";
    text += name;
    text += "\ndata: ";
    text += boost::json::serialize(data);
    text += "\n\n";
    return text;
}

std::string end_text(std::string_view why) {
    boost::json::object o;
    o["why"] = json_view(why);
    return event_text("end", o);
}

bool EventReader::take(std::string_view bytes, const std::function<void(const Event&)>& on_event) {
    while (!bytes.empty() && !broken_) {
        const auto end = bytes.find('\n');
        line_ += bytes.substr(0, end);
        broken_ = line_.size() + event_.data.size() > kEventBytesMax;
        if (end == std::string_view::npos) break;
        bytes.remove_prefix(end + 1);
        if (line_.ends_with('\r')) line_.pop_back();
        if (!broken_) take_line(line_, on_event);
        line_.clear();
    }
    return !broken_;
}

void EventReader::take_line(std::string_view line, const std::function<void(const Event&)>& on_event) {
    if (line.empty()) {
        const auto event = std::exchange(event_, {});
        if (!event.data.empty()) on_event(event);
        return;
    }
    const auto colon = line.find(':');
    if (colon == 0) return;  // a comment
    auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    const auto field = line.substr(0, colon);
    if (field == "event") event_.name = value;
    if (field != "data") return;
    if (!event_.data.empty()) event_.data += '\n';
    event_.data += value;
}

}  // namespace drover::http
