#include "sim/disk_budget.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/unique_fd.hpp"

namespace drover::sim {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

class Usage {
public:
    explicit Usage(const DiskBudget& budget) : budget_(budget) {}

    // "" while within the budget.
    std::string add_directory(int parent, const char* name, std::uint64_t depth) {
        if (depth > budget_.phone_depth_max)
            return fmt::format("has more than {} directories inside each other", budget_.phone_depth_max);
        UniqueFd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!fd) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? "" : unreadable();
        const Directory directory(::fdopendir(fd.get()));
        if (!directory) return unreadable();
        const int own = fd.release();
        while (const dirent* entry = ::readdir(directory.get())) {
            const std::string_view entry_name = entry->d_name;
            if (entry_name == "." || entry_name == "..") continue;
            if (auto full = add(own, entry->d_name, depth); !full.empty()) return full;
        }
        return "";
    }

private:
    std::string add(int parent, const char* name, std::uint64_t depth) {
        constexpr std::uint64_t kBlockBytes = 512;
        struct stat status {};
        if (::fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return "";  // gone meanwhile
        bytes_ += static_cast<std::uint64_t>(status.st_blocks) * kBlockBytes;
        if (++files_ > budget_.phone_files_max) return fmt::format("has more than {} files", budget_.phone_files_max);
        if (bytes_ > budget_.phone_bytes_max)
            return fmt::format("has more than {} MiB", budget_.phone_bytes_max / kMiB);
        return S_ISDIR(status.st_mode) ? add_directory(parent, name, depth + 1) : "";
    }
    static std::string unreadable() { return fmt::format("cannot be looked through: {}", std::strerror(errno)); }

    const DiskBudget& budget_;
    std::uint64_t bytes_ = 0;
    std::uint64_t files_ = 0;
};

}  // namespace

Result<void> check_disk(const std::string& directory, const DiskBudget& budget) {
    struct statvfs disk {};
    if (::statvfs(directory.c_str(), &disk) == 0) {
        if (disk.f_bavail * disk.f_frsize < budget.host_bytes_min) {
            return fail(Code::out_of_resources,
                        fmt::format("the host's disk is nearly full: less than {} MiB left where {} is",
                                    budget.host_bytes_min / kMiB, directory));
        }
        if (disk.f_files != 0 && disk.f_favail < budget.host_files_min) {
            return fail(Code::out_of_resources,
                        fmt::format("the host's disk is nearly full: it takes less than {} more files where {} is",
                                    budget.host_files_min, directory));
        }
    }
    const std::string full = Usage(budget).add_directory(AT_FDCWD, directory.c_str(), 0);
    if (full.empty()) return {};
    return fail(
        Code::out_of_resources,
        fmt::format("no room on this phone: its directory {}; a new `drover sim` begins with an empty one", full));
}

}  // namespace drover::sim
