// The files of one virtual phone, for its file service: every path is looked up inside the phone's own directory by the kernel
// (openat2, RESOLVE_IN_ROOT: "/", ".." and links lead nowhere else), and where the phone is a user of its own the calling
// thread works as that user, so that files belong to it and its own permissions count.
//
// Blocks: not for loops. One thread at a time. Failure: an errno, as a phone would say it.
#pragma once
#include <dirent.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adb/sync.hpp"
#include "base/unique_fd.hpp"

namespace drover::sim {

class PhoneFiles {
public:
    static constexpr std::uint64_t kFileBytesMax = std::uint64_t{16} << 30;

    // user: what the phone's commands run as; none: this process's own.
    static Result<PhoneFiles> open(const std::string& directory, std::optional<uid_t> user);

    // The thread's identity for file access, while it lives.
    class AsUser {
    public:
        explicit AsUser(const PhoneFiles& files);
        ~AsUser();
        AsUser(const AsUser&) = delete;
        AsUser& operator=(const AsUser&) = delete;

    private:
        bool changed_ = false;
    };

    struct CloseDirectory {
        void operator()(DIR* directory) const { ::closedir(directory); }
    };
    using Directory = std::unique_ptr<DIR, CloseDirectory>;

    adb::SyncStat stat(const std::string& path, bool follow) const;
    static adb::SyncStat stat_entry(DIR* directory, const char* name);
    Directory list(const std::string& path) const;         // null: errno
    UniqueFd open_to_read(const std::string& path) const;  // empty: errno
    // Puts a new file, or a link, in the place of a file or link of that name; makes the folders above it. As adbd does.
    UniqueFd create(const std::string& path) const;                           // empty: errno
    int make_link(const std::string& target, const std::string& path) const;  // 0 or errno
    int set_times(const std::string& path, std::int64_t mtime) const;         // never follows; 0 or errno
    void remove(const std::string& path) const;

private:
    PhoneFiles(UniqueFd root, std::optional<uid_t> user) : root_(std::move(root)), user_(user) {}
    UniqueFd look_up(const std::string& path, int flags) const;
    // The folder that holds `path`, made if need be, and the last name.
    UniqueFd folder_of(const std::string& path, std::string& name, bool make) const;

    UniqueFd root_;
    std::optional<uid_t> user_;
};

}  // namespace drover::sim
