#include "transfer/local_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/holes.hpp"

namespace drover::transfer {
namespace {

tl::unexpected<Error> os_error(const std::string& path) {
    return fail(Code::local_file, fmt::format("{}: {}", path, std::strerror(errno)));
}

class RealReader final : public LocalReader {
public:
    RealReader(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
    ~RealReader() override { ::close(fd_); }
    RealReader(const RealReader&) = delete;
    RealReader& operator=(const RealReader&) = delete;

    Result<std::size_t> read(std::span<std::uint8_t> to) override {
        for (;;) {
            const ssize_t n = reader_.read(fd_, to);
            if (n >= 0) return static_cast<std::size_t>(n);
            if (errno != EINTR) return os_error(path_);
        }
    }

private:
    int fd_;
    std::string path_;
    HoleReader reader_;
};

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

Result<std::vector<std::string>> names_in(const std::string& path) {
    const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
    if (!directory) return os_error(path);
    std::vector<std::string> names;
    while (const dirent* const entry = ::readdir(directory.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
        if (names.size() > kEntriesMax)
            return fail(Code::local_file, fmt::format("{}: more than {} files", path, kEntriesMax));
    }
    std::sort(names.begin(), names.end());
    return names;
}

class RealFiles final : public LocalFiles {
public:
    Result<std::vector<LocalEntry>> walk(const std::string& path) override {
        std::vector<LocalEntry> all;
        if (auto added = add(path, "", 0, all); !added) return tl::unexpected(added.error());
        return all;
    }
    Result<std::unique_ptr<LocalReader>> open(const std::string& path) override {
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0) return os_error(path);
        return std::make_unique<RealReader>(fd, path);
    }

private:
    static Result<void> add(const std::string& path, const std::string& name, std::size_t depth,
                            std::vector<LocalEntry>& all) {
        struct stat s {};
        if ((depth == 0 ? ::stat(path.c_str(), &s) : ::lstat(path.c_str(), &s)) != 0) return os_error(path);
        if (all.size() >= kEntriesMax)
            return fail(Code::local_file, fmt::format("{}: more than {} files", path, kEntriesMax));
        LocalEntry entry;
        entry.path = path;
        entry.name = name;
        entry.mode = s.st_mode & 07777;
        entry.mtime = s.st_mtime;
        if (S_ISREG(s.st_mode)) {
            entry.bytes = static_cast<std::uint64_t>(s.st_size);
            all.push_back(std::move(entry));
            return {};
        }
        if (S_ISLNK(s.st_mode)) return add_link(std::move(entry), all);
        if (!S_ISDIR(s.st_mode)) return fail(Code::local_file, path + ": neither a file, a directory nor a link");
        if (depth >= kDepthMax) return fail(Code::local_file, path + ": too many directories in each other");
        const auto names = names_in(path);
        if (!names) return tl::unexpected(names.error());
        entry.kind = LocalEntry::Kind::directory;
        entry.empty = names->empty();
        all.push_back(std::move(entry));
        for (const auto& child : *names) {
            const std::string below = fmt::format("{}{}{}", path, path.ends_with('/') ? "" : "/", child);
            if (auto added = add(below, name.empty() ? child : fmt::format("{}/{}", name, child), depth + 1, all);
                !added)
                return added;
        }
        return {};
    }

    static Result<void> add_link(LocalEntry entry, std::vector<LocalEntry>& all) {
        std::array<char, 4096> target;
        const ssize_t n = ::readlink(entry.path.c_str(), target.data(), target.size());
        if (n < 0) return os_error(entry.path);
        entry.kind = LocalEntry::Kind::link;
        entry.target.assign(target.data(), static_cast<std::size_t>(n));
        all.push_back(std::move(entry));
        return {};
    }
};

}  // namespace

LocalFiles& local_files() {
    static RealFiles files;
    return files;
}

}  // namespace drover::transfer
