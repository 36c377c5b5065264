#include "base/utf8.hpp"

#include <algorithm>

namespace drover {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length of the character a lead byte begins; 0 when no character begins so.
unsigned length_of(std::uint8_t lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

// Whether `next` may follow the lead byte directly: rules out overlong forms, surrogates and what lies past U+10FFFF.
bool second_ok(std::uint8_t lead, std::uint8_t next) {
    switch (lead) {
        case 0xE0: return next >= 0xA0 && next <= 0xBF;
        case 0xED: return next >= 0x80 && next <= 0x9F;
        case 0xF0: return next >= 0x90 && next <= 0xBF;
        case 0xF4: return next >= 0x80 && next <= 0x8F;
        default: return next >= 0x80 && next <= 0xBF;
    }
}

}  // namespace

void Utf8Sanitizer::feed(ByteView bytes, std::string& out) {
    std::size_t i = 0;
    while (i < bytes.size()) {
        if (have_ == 0) {
            // Plain ASCII in one go: nearly all output is that.
            std::size_t end = i;
            while (end < bytes.size() && bytes[end] < 0x80) ++end;
            out.append(as_text(bytes.subspan(i, end - i)));
            i = end;
            if (i == bytes.size()) return;
            need_ = static_cast<std::uint8_t>(length_of(bytes[i]));
            if (need_ == 0) {
                out.append(kReplacement);
            } else {
                held_[have_++] = bytes[i];
            }
            ++i;
            continue;
        }
        const std::uint8_t b = bytes[i];
        const bool ok = have_ == 1 ? second_ok(held_[0], b) : (b & 0xC0) == 0x80;
        if (!ok) {
            out.append(kReplacement);
            have_ = 0;
            continue;  // b begins anew
        }
        held_[have_++] = b;
        ++i;
        if (have_ == need_) {
            out.append(reinterpret_cast<const char*>(held_), have_);
            have_ = 0;
        }
    }
}

void Utf8Sanitizer::finish(std::string& out) {
    if (have_) out.append(kReplacement);
    have_ = 0;
}

std::size_t utf8_floor(std::string_view text, std::size_t max) {
    if (text.size() <= max) return text.size();
    std::size_t n = max;
    while (n > 0 && (static_cast<std::uint8_t>(text[n]) & 0xC0) == 0x80) --n;
    return n;
}

bool is_valid_utf8(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size()) {
        const unsigned n = length_of(static_cast<std::uint8_t>(text[i]));
        if (n == 0 || i + n > text.size()) return false;
        for (unsigned k = 1; k < n; ++k) {
            const auto b = static_cast<std::uint8_t>(text[i + k]);
            const bool ok = k == 1 ? second_ok(static_cast<std::uint8_t>(text[i]), b) : (b & 0xC0) == 0x80;
            if (!ok) return false;
        }
        i += n;
    }
    return true;
}

std::string sanitize_utf8(std::string_view text) {
    std::string out;
    Utf8Sanitizer s;
    s.feed(as_bytes(text), out);
    s.finish(out);
    return out;
}

}  // namespace drover
