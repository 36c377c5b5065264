// Any bytes as a stream of events, whole and in pieces of every small size: the same events; and a row that is read back writes
// the same again.
#include <boost/json/parse.hpp>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "http/sse.hpp"
#include "http/wire.hpp"

namespace {

std::vector<std::string> events_of(std::string_view text, std::size_t piece) {
    std::vector<std::string> events;
    drover::http::EventReader reader;
    for (std::size_t at = 0; at < text.size(); at += piece)
        DROVER_ASSERT(
            reader.take(text.substr(at, piece), [&](const auto& e) { events.push_back(e.name + '\n' + e.data); }));
    return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace drover;
    const auto text = as_text({data, size});
    const auto events = events_of(text, size + 1);
    for (const std::size_t piece : {1, 3}) DROVER_ASSERT(events_of(text, piece) == events);
    for (const auto& event : events) {
        boost::system::error_code error;
        const auto value = boost::json::parse(event.substr(event.find('\n') + 1), error);
        if (error || !value.is_object()) continue;
        if (const auto row = http::read_row(value.get_object())) {
            const auto again = http::read_row(http::row_object(*row));
            DROVER_ASSERT(again && http::row_object(*again) == http::row_object(*row));
        }
        (void)http::read_output(value.get_object());
        (void)http::read_status(value.get_object());
        (void)http::read_phone(value.get_object());
    }
    return 0;
}
