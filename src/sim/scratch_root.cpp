#include "sim/scratch_root.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace drover::sim {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = "drover-sim-";

bool lock(const UniqueFd& directory) { return directory && ::flock(directory.get(), LOCK_EX | LOCK_NB) == 0; }

UniqueFd open_directory(const fs::path& path) {
    return UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

}  // namespace

void remove_stale_roots(const fs::path& folder) {
    std::error_code ec;
    for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
        if (!it->path().filename().string().starts_with(kPrefix)) continue;
        const UniqueFd directory = open_directory(it->path());
        struct stat status {};
        if (!directory || ::fstat(directory.get(), &status) != 0 || status.st_uid != ::geteuid() || !lock(directory))
            continue;
        std::error_code ignored;
        fs::remove_all(it->path(), ignored);
    }
}

Result<ScratchRoot> ScratchRoot::create(bool as_root) {
    // Root's TMPDIR may be a place that other users cannot enter.
    const char* wanted = as_root ? nullptr : std::getenv("TMPDIR");
    std::string failure;
    for (const std::string& folder :
         {std::string(wanted != nullptr ? wanted : ""), std::string("/tmp"), std::string("/var/tmp")}) {
        if (folder.empty()) continue;
        // Under another name until it is locked: a fleet that starts at the same time must not take it for a stale one.
        std::string fresh = folder + "/drover-new-XXXXXX";
        ScratchRoot root;
        if (::mkdtemp(fresh.data()) != nullptr) {
            const std::string name = fmt::format("{}/{}{}", folder, kPrefix, fresh.substr(fresh.size() - 6));
            root.lock_ = open_directory(fresh);
            if (lock(root.lock_) && ::chmod(fresh.c_str(), as_root ? 0711 : 0700) == 0 &&
                ::rename(fresh.c_str(), name.c_str()) == 0) {
                root.path_ = name;
                remove_stale_roots(folder);
                return root;
            }
            ::rmdir(fresh.c_str());
        }
        failure = fmt::format("no directory for virtual phones under {}: {}", folder, std::strerror(errno));
    }
    return fail(Code::out_of_resources, failure);
}

ScratchRoot::ScratchRoot(ScratchRoot&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}

ScratchRoot& ScratchRoot::operator=(ScratchRoot&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(lock_, other.lock_);
    return *this;
}

ScratchRoot::~ScratchRoot() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace drover::sim
