// Views of raw bytes, and little-endian integers in them. Pure; any thread.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace drover {

using ByteView = std::span<const std::uint8_t>;

static_assert(std::endian::native == std::endian::little, "ADB is little-endian; a big-endian host needs swaps here");

// The caller guarantees four readable (writable) bytes at p.
inline std::uint32_t load_le32(const std::uint8_t* p) {
    std::uint32_t v = 0;
    std::memcpy(&v, p, sizeof v);
    return v;
}
inline void store_le32(std::uint8_t* p, std::uint32_t v) { std::memcpy(p, &v, sizeof v); }

inline ByteView as_bytes(std::string_view s) { return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()}; }
inline std::string_view as_text(ByteView b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

}  // namespace drover
