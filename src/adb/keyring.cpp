#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "adb/auth.hpp"
#include "base/home.hpp"
#include "base/unique_fd.hpp"

namespace drover::adb {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeyFileBytesMax = 64 * 1024;
constexpr std::size_t kKeysMax = 64;  // each key costs a phone that refuses it one round trip
constexpr std::string_view kVendorKeySuffix = ".adb_key";

std::string errno_text() { return std::strerror(errno); }

// O_NONBLOCK: a path that names a FIFO must not block the start of the program.
Result<std::string> read_private(const fs::path& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) return fail(Code::bad_key, errno_text());
    struct stat st {};
    if (::fstat(file.get(), &st) != 0) return fail(Code::bad_key, errno_text());
    if (!S_ISREG(st.st_mode)) return fail(Code::bad_key, "not a regular file");
    if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(Code::bad_key, "a private key that others than its owner may use (chmod 600 makes it private)");
    }
    if (st.st_size > static_cast<off_t>(kKeyFileBytesMax)) return fail(Code::bad_key, "too large for a key");
    std::string text(static_cast<std::size_t>(st.st_size), '\0');
    std::size_t have = 0;
    while (have < text.size()) {
        const ssize_t n = ::read(file.get(), text.data() + have, text.size() - have);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        have += static_cast<std::size_t>(n);
    }
    text.resize(have);
    return text;
}

class Loader {
public:
    explicit Loader(std::vector<std::string>* warnings) : warnings_(warnings) {}

    void file(const fs::path& path) {
        const auto text = read_private(path);
        if (!text) return warn(path, text.error().message);
        auto key = PrivateKey::from_pem(*text);
        if (!key) return warn(path, key.error().message);
        const auto same = [&](const PrivateKey& k) { return k.fingerprint() == key->fingerprint(); };
        if (std::any_of(keys_.begin(), keys_.end(), same)) return;
        if (keys_.size() == kKeysMax) return warn(path, fmt::format("already {} keys", kKeysMax));
        keys_.push_back(std::move(*key));
    }

    void directory(const fs::path& path) {
        std::error_code ec;
        std::vector<fs::path> found;
        for (fs::directory_iterator it(path, ec), end; !ec && it != end; it.increment(ec)) {
            if (it->path().extension() == kVendorKeySuffix) found.push_back(it->path());
        }
        if (ec) return warn(path, ec.message());
        std::sort(found.begin(), found.end());  // the same order at every start
        for (const auto& each : found) file(each);
    }

    void warn(const fs::path& path, std::string_view why) {
        if (warnings_) warnings_->push_back(fmt::format("ADB key {} is not used: {}", path.string(), why));
    }

    std::vector<PrivateKey> take() { return std::move(keys_); }

private:
    std::vector<PrivateKey> keys_;
    std::vector<std::string>* warnings_;
};

Result<void> write_exclusively(const fs::path& path, std::string_view text, mode_t mode) {
    const auto error = [&](std::string_view what) {
        return fail(Code::bad_key, fmt::format("cannot {} {}: {}", what, path.string(), errno_text()));
    };
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!file) return error("create");
    while (!text.empty()) {
        const ssize_t n = ::write(file.get(), text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    if (text.empty() && ::fsync(file.get()) == 0) return {};
    const auto failed = error("write");
    ::unlink(path.c_str());  // half a key would only be in the way of the next try
    return failed;
}

}  // namespace

KeyRing KeyRing::load(const fs::path& home, std::string_view vendor_keys, std::vector<std::string>* warnings) {
    Loader loader(warnings);
    std::error_code ec;
    const fs::path user_key = home / ".android" / "adbkey";
    if (!home.empty() && fs::exists(user_key, ec)) loader.file(user_key);
    while (!vendor_keys.empty()) {
        const auto end = std::min(vendor_keys.find(':'), vendor_keys.size());
        const fs::path path(vendor_keys.substr(0, end));
        vendor_keys.remove_prefix(std::min(end + 1, vendor_keys.size()));
        if (path.empty()) continue;
        if (fs::is_directory(path, ec)) {
            loader.directory(path);
        } else {
            loader.file(path);
        }
    }
    return KeyRing(loader.take());
}

KeyRing KeyRing::load_from_environment(std::vector<std::string>* warnings) {
    const char* vendor_keys = std::getenv("ADB_VENDOR_KEYS");
    return load(home_directory(), vendor_keys ? vendor_keys : "", warnings);
}

std::vector<std::size_t> KeyRing::order(std::string_view accepted) const {
    std::vector<std::size_t> indices(keys_.size());
    std::iota(indices.begin(), indices.end(), std::size_t{0});
    std::stable_partition(indices.begin(), indices.end(),
                          [&](std::size_t i) { return keys_[i].fingerprint() == accepted; });
    return indices;
}

Result<void> write_new_key(const fs::path& path) {
    auto key = PrivateKey::generate();
    if (!key) return tl::unexpected(key.error());
    const fs::path public_path = path.string() + ".pub";
    std::error_code ec;
    if (fs::exists(public_path, ec)) {
        return fail(Code::bad_key, fmt::format("{} exists already; it is not replaced", public_path.string()));
    }
    if (auto r = write_exclusively(path, key->to_pem(), 0600); !r) return r;
    auto written = write_exclusively(public_path, key->public_key_line() + "\n", 0644);
    if (!written) ::unlink(path.c_str());
    return written;
}

}  // namespace drover::adb
