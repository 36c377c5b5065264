// ADB's RSA authentication (reference: AOSP client/auth.cpp, crypto/rsa_2048_key.cpp).
//
// Pure but for load(), which reads files. Any thread; a KeyRing is immutable once made and shared by all links.
// Private keys never leave this object and never reach a log.
#pragma once
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "drover/error.hpp"

namespace drover::adb {

constexpr std::size_t kTokenBytes = 20;
constexpr std::size_t kSignatureBytes = 256;  // RSA-2048
enum class AuthType : std::uint32_t { token = 1, signature = 2, rsa_public_key = 3 };

class PrivateKey {
public:
    // PKCS#8 or PKCS#1, RSA-2048 only. An encrypted key is refused; nobody is asked for a passphrase.
    static Result<PrivateKey> from_pem(std::string_view pem);
    static Result<PrivateKey> generate();

    // Signs the token as if it were a SHA-1 digest: PKCS#1 v1.5, no second hash. 256 bytes; empty when the token has not
    // kTokenBytes, which no phone may send.
    std::vector<std::uint8_t> sign(ByteView token) const;
    // What AUTH type 3 carries: base64 of the 524-byte Android key struct, " user@host"; without the final NUL.
    std::string public_key_line() const;
    std::string to_pem() const;  // PKCS#8
    // Hex SHA-256 of the Android key struct: names the key in logs and in the memory of accepted keys.
    const std::string& fingerprint() const { return fingerprint_; }

private:
    struct Impl;
    std::shared_ptr<const Impl> impl_;
    std::string fingerprint_;
};

// The device side: does `line` (base64 struct, optional comment) belong to the key that made `signature` of `token`?
bool verify_signature(std::string_view public_key_line, ByteView token, ByteView signature);
// Fingerprint of a public key line; empty when it is none.
std::string fingerprint_of(std::string_view public_key_line);

class KeyRing {
public:
    KeyRing() = default;
    explicit KeyRing(std::vector<PrivateKey> keys) : keys_(std::move(keys)) {}
    // ~/.android/adbkey, then ADB_VENDOR_KEYS: a ':'-separated list of key files and directories holding *.adb_key.
    // A file that is no key, or that others than its owner may read, is reported in `warnings` and left out, as are keys
    // past the 64th; a key found twice counts once. No key at all is not an error (many phones want none).
    static KeyRing load(const std::filesystem::path& home, std::string_view vendor_keys,
                        std::vector<std::string>* warnings);
    static KeyRing load_from_environment(std::vector<std::string>* warnings);

    const std::vector<PrivateKey>& keys() const { return keys_; }
    // Indices into keys() in the order to try: the one named by `accepted` (a fingerprint) first.
    std::vector<std::size_t> order(std::string_view accepted) const;

private:
    std::vector<PrivateKey> keys_;
};

// Makes `path` (mode 0600) and `path`.pub. Refuses to replace an existing file.
Result<void> write_new_key(const std::filesystem::path& path);

}  // namespace drover::adb
