// Turns a phone's raw output into valid UTF-8, piece by piece: what is not UTF-8 becomes U+FFFD, one for each maximal
// ill-formed part (the rule of the WHATWG encoder and Unicode 3.9, "substitution of maximal subparts"). Pure; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace drover {

class Utf8Sanitizer {
public:
    // Appends the valid form of `bytes` to out. A character that is cut off at the end waits for the next call.
    void feed(ByteView bytes, std::string& out);
    // The end of input: a character still waiting becomes U+FFFD.
    void finish(std::string& out);
    // Bytes of an unfinished character, 0..3.
    std::size_t pending() const { return have_; }

private:
    std::uint8_t held_[4] = {};
    std::uint8_t have_ = 0;
    std::uint8_t need_ = 0;
};

// The largest length <= max at which `text` (valid UTF-8) can be cut without splitting a character.
std::size_t utf8_floor(std::string_view text, std::size_t max);
bool is_valid_utf8(std::string_view text);
std::string sanitize_utf8(std::string_view text);

}  // namespace drover
