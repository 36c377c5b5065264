// Keys as files and phones hand them over: a PEM private key (first byte even), or a public key line with a signature behind it
// (odd). What is accepted has a fingerprint, and nobody signs for a key he does not have.
#include <algorithm>
#include <array>

#include "adb/auth.hpp"
#include "base/assert.hpp"

using namespace drover;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView bytes(data + 1, size - 1);
    const auto text = as_text(bytes);
    if (data[0] % 2 == 0) {
        const auto key = adb::PrivateKey::from_pem(text);
        if (!key) return 0;
        const std::array<std::uint8_t, adb::kTokenBytes> token{};
        DROVER_ASSERT(adb::fingerprint_of(key->public_key_line()) == key->fingerprint());
        DROVER_ASSERT(adb::verify_signature(key->public_key_line(), token, key->sign(token)));
        DROVER_ASSERT(key->sign(bytes.first(std::min<std::size_t>(bytes.size(), adb::kTokenBytes - 1))).empty());
        return 0;
    }
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    const ByteView signature = bytes.subspan(end);
    const auto fingerprint = adb::fingerprint_of(line);
    DROVER_ASSERT(fingerprint.empty() || fingerprint.size() == 64);
    const std::array<std::uint8_t, adb::kTokenBytes> token{1, 2, 3};
    const bool right = adb::verify_signature(line, token, signature);
    DROVER_ASSERT(!right || (!fingerprint.empty() && signature.size() == adb::kSignatureBytes));
    return 0;
}
