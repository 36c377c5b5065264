// A signed request whose every header may be anything: it is refused with a sentence, or it is what it says. Input: lines
// "Name: value" as headers, an empty line, then "METHOD TARGET".
#include <chrono>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "http/auth.hpp"
#include "http/signature.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace drover;
    std::string_view text = as_text({data, size});
    net::Request request;
    request.method = "POST";
    request.target = "/v1/instances/sync-command";
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        const auto colon = line.find(": ");
        if (colon == std::string_view::npos) {
            const auto space = line.find(' ');
            request.method = std::string(line.substr(0, space));
            if (space != std::string_view::npos) request.target = std::string(line.substr(space + 1));
        } else {
            request.headers.push_back({std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))});
        }
    }
    // 2024-01-01T00:00:00Z, the date of the corpus.
    const std::chrono::system_clock::time_point now{std::chrono::seconds(1'704'067'200)};
    const auto read = http::read_signature(request, now);
    if (!read) {
        DROVER_ASSERT(!read.error().empty());
    } else {
        DROVER_ASSERT(read->date.size() == 16);
        DROVER_ASSERT(!read->signed_headers.empty() && read->signed_headers.size() <= http::kSignedHeadersMax);
        const auto canonical = http::canonical_request(request, read->signed_headers);
        if (canonical) (void)http::signature_of(*canonical, read->date, "SK");
    }
    // Nobody knows this secret: whatever is accepted was forged.
    static const auto tenant = std::make_shared<http::Tenant>();
    static const http::Authenticator nobody({}, {{"AK", std::string(32, '\x5a'), tenant}});
    DROVER_ASSERT(!nobody.judge(request, now));
    return 0;
}
