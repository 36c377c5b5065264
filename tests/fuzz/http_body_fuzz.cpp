// Any bytes as a request's body: one sentence for what is wrong, and nothing past the documented limits for what is good.
#include <set>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/utf8.hpp"
#include "http/body.hpp"
#include "http/call_request.hpp"
#include "http/source_body.hpp"

namespace {

using namespace drover;

void expect_sentence(const std::string& why) {
    DROVER_ASSERT(!why.empty() && why.find('\n') == std::string::npos && is_valid_utf8(why));
}

void expect_ids(const std::vector<std::string>& ids) {
    DROVER_ASSERT(!ids.empty() && ids.size() <= http::kIdsMax);
    DROVER_ASSERT(std::set<std::string>(ids.begin(), ids.end()).size() == ids.size());
    for (const auto& id : ids) DROVER_ASSERT(!id.empty() && id.size() <= 4 * http::kIdCharactersMax);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto body = as_text({data, size});
    if (const auto command = http::parse_command_body(body)) {
        DROVER_ASSERT(!command->command.empty() && command->command.size() <= http::kCommandBytesMax);
        for (const char c : command->command) DROVER_ASSERT(http::is_allowed_in_command(c));
        expect_ids(command->instance_ids);
    } else {
        expect_sentence(command.error());
    }
    if (const auto ids = http::parse_ids_body(body)) {
        expect_ids(*ids);
    } else {
        expect_sentence(ids.error());
    }
    if (const auto call = http::read_call_request(body)) {
        DROVER_ASSERT(call->on || !call->instance_ids.empty());
        const auto again = http::read_call_request(http::to_json(*call));
        DROVER_ASSERT(again && http::to_json(*again) == http::to_json(*call));
    } else {
        DROVER_ASSERT(call.error().code == Code::usage && !call.error().message.empty());
    }
    (void)http::parse_result_body(body);
    (void)http::parse_source_command_body(body);
    (void)http::parse_source_body(body);
    return 0;
}
