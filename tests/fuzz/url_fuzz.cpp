// Any text as a place to listen at and as a URL: it is refused in one sentence, or its parts are sound and name the same place when
// they are written and read again.
#include <algorithm>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "net/address.hpp"

namespace {

using namespace drover;

bool same(const net::ListenAddress& a, const net::ListenAddress& b) {
    return a.host == b.host && a.port == b.port && a.path == b.path;
}

// They go into a request's first lines.
bool fits_a_line(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c != 0x7f; });
}

void check(const net::ListenAddress& address) {
    DROVER_ASSERT(address.host.empty() == address.is_unix());
    DROVER_ASSERT(address.path.size() <= net::kUnixPathBytesMax);
    DROVER_ASSERT(address.path.find('\0') == std::string::npos);
    (void)net::is_loopback(address);
}

void check(const net::Url& url) {
    check(url.address);
    DROVER_ASSERT(fits_a_line(url.base_path) && fits_a_line(url.host_header()));
    DROVER_ASSERT(url.base_path.empty() || (url.base_path.starts_with('/') && !url.base_path.ends_with('/')));
    if (url.address.is_unix()) return;
    const auto again = net::parse_url((url.tls ? "https://" : "http://") + url.host_header() + url.base_path);
    DROVER_ASSERT(again && again->tls == url.tls && same(again->address, url.address));
    DROVER_ASSERT(again->base_path == url.base_path);
}

void check(const Error& error) { DROVER_ASSERT(error.code == Code::usage && !error.message.empty()); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = as_text({data, size});
    const auto address = net::parse_listen_address(text);
    address ? check(*address) : check(address.error());
    if (address) {
        const auto again = net::parse_listen_address(net::to_string(*address));
        DROVER_ASSERT(again && same(*again, *address));
    }
    const auto url = net::parse_url(text);
    url ? check(*url) : check(url.error());
    return 0;
}
