// Any secrets and any text: no whole secret comes out, not even one that shares bytes with another, and the same comes out however
// the text is split. The secrets are the lines before an empty one, the text is what follows.
#include <algorithm>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "job/secrets.hpp"

namespace {

using namespace drover;

constexpr std::size_t kSecretsMax = 8, kTextMax = 4096;

std::vector<std::string> secrets_of(std::string_view& input) {
    std::vector<std::string> out;
    while (!input.empty()) {
        const auto line = input.substr(0, input.find('\n'));
        input.remove_prefix(std::min(input.size(), line.size() + 1));
        if (line.empty()) break;
        // The mask itself may spell a secret that has stars.
        if (out.size() < kSecretsMax && line.find('*') == std::string_view::npos) out.emplace_back(line);
    }
    return out;
}

// The rule, as plainly as it can be written: every byte of every secret goes.
std::string expected(std::string_view text, const std::vector<std::string>& secrets) {
    std::string out;
    std::size_t hidden = 0;  // up to here
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::size_t longest = 0;
        for (const auto& secret : secrets)
            if (text.substr(at).starts_with(secret)) longest = std::max(longest, secret.size());
        if (longest > 0 && at >= hidden) out += "***";
        hidden = std::max(hidden, at + longest);
        if (at >= hidden) out += text[at];
    }
    return out;
}

std::string masked(std::string_view text, const job::Secrets& secrets, std::size_t piece) {
    job::MaskedStream stream(secrets);
    std::string out;
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), piece))) out += stream.feed(text.substr(0, piece));
    return out + stream.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto text = as_text({data, size});
    const auto values = secrets_of(text);
    text = text.substr(0, kTextMax);
    const job::Secrets secrets(values);
    const auto whole = secrets.masked(text);
    DROVER_ASSERT(whole == expected(text, values));
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, size % 61 + 1, size + 1})
        DROVER_ASSERT(masked(text, secrets, piece) == whole);
    for (const auto& secret : values) DROVER_ASSERT(whole.find(secret) == std::string::npos);
    return 0;
}
