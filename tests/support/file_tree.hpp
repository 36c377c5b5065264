// Trees of files for transfer tests: made with fixed contents, modes and times, and read back as values. A failure throws.
#pragma once
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "support/temp_dir.hpp"

namespace drover::test {

// Bytes that no compressor makes smaller.
inline std::string noise(std::size_t bytes, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::string text(bytes, '\0');
    for (char& c : text) c = static_cast<char>(random() & 0xFF);
    return text;
}

inline void set_file(const std::filesystem::path& path, mode_t mode, std::int64_t mtime) {
    const timespec times[2] = {{mtime, 0}, {mtime, 0}};
    if (::chmod(path.c_str(), mode) != 0 || ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
        throw std::runtime_error("cannot set " + path.string());
}

// Sizes on both sides of a DATA, nested directories, names with spaces, a program. No links.
inline void make_tree(const TempDir& dir, const std::string& top) {
    const auto put = [&](const std::string& name, const std::string& text, mode_t mode, std::int64_t mtime) {
        set_file(dir.write(top + "/" + name, text), mode, mtime);
    };
    put("empty", "", 0644, 1'000'000'000);
    put("one", "1", 0600, 1'234'567'890);
    put("run.sh", "#!/bin/sh\necho run\n", 0755, 1'500'000'000);
    for (const std::size_t n : {std::size_t{65'535}, std::size_t{65'536}, std::size_t{65'537}})
        put(fmt::format("sizes/{}", n), noise(n, static_cast<unsigned>(n)), 0666, 1'600'000'000);
    put("sizes/text", std::string(300'000, 'a') + noise(10), 0644, 1'600'000'001);
    put("deep/er/with space/file 'quoted'", "deep", 0640, 1'700'000'000);
    put("big", noise(3'000'000, 7), 0644, 1'700'000'001);
}

inline std::vector<std::string> names_in(const std::filesystem::path& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        names.push_back(entry.path().filename().string());
    return names;
}

// "file MODE MTIME BYTES-HASH", "link TARGET" or "directory" by relative name.
inline std::map<std::string, std::string> read_tree(const std::filesystem::path& top, bool with_attributes = true) {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(top)) {
        const auto name = std::filesystem::relative(entry.path(), top).string();
        struct stat s {};
        if (::lstat(entry.path().c_str(), &s) != 0) throw std::runtime_error("cannot look at " + name);
        if (S_ISLNK(s.st_mode)) {
            all[name] = "link " + std::filesystem::read_symlink(entry.path()).string();
        } else if (S_ISDIR(s.st_mode)) {
            all[name] = "directory";
        } else {
            const auto text = read_file(entry.path());
            all[name] = fmt::format("file {} bytes {:016x}", text.size(), std::hash<std::string>()(text));
            if (with_attributes) all[name] += fmt::format(" mode {:o} mtime {}", s.st_mode & 07777, s.st_mtime);
        }
    }
    return all;
}

}  // namespace drover::test
