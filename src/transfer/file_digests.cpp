#include "transfer/file_digests.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "transfer/local_files.hpp"

namespace drover::transfer {
namespace {

Result<std::string> compute(const std::string& path) {
    constexpr std::size_t kPieceBytes = 256 * 1024;
    auto reader = local_files().open(path);
    if (!reader) return tl::unexpected(reader.error());
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    bool well = digest && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1;
    std::vector<std::uint8_t> piece(kPieceBytes);
    while (well) {
        const auto n = (*reader)->read(piece);
        if (!n) return tl::unexpected(n.error());
        if (*n == 0) break;
        well = EVP_DigestUpdate(digest.get(), piece.data(), *n) == 1;
    }
    std::array<std::uint8_t, 32> out{};
    if (!well || EVP_DigestFinal_ex(digest.get(), out.data(), nullptr) != 1)
        return fail(Code::local_file, path + ": its SHA-256 cannot be computed");
    return fmt::format("{:02x}", fmt::join(out, ""));
}

}  // namespace

Result<std::string> FileDigests::sha256(const std::string& path) {
    struct stat s {};
    if (::stat(path.c_str(), &s) != 0) return fail(Code::local_file, fmt::format("{}: {}", path, std::strerror(errno)));
    constexpr std::int64_t kNsPerSecond = 1'000'000'000;
    const Known now{static_cast<std::uint64_t>(s.st_size), s.st_mtim.tv_sec * kNsPerSecond + s.st_mtim.tv_nsec, {}};
    const std::lock_guard lock(mutex_);
    auto& known = known_[path];
    if (!known.hex.empty() && known.bytes == now.bytes && known.time_ns == now.time_ns) return known.hex;
    auto hex = compute(path);
    if (!hex) return hex;
    known = now;
    known.hex = *hex;
    return hex;
}

}  // namespace drover::transfer
