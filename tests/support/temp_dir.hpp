// A directory of its own for one test, removed with all it holds when it goes out of scope. Throws
// std::filesystem::filesystem_error or std::runtime_error when the file system refuses: in a test that is a failed test.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace drover::test {

class TempDir {
public:
    TempDir();  // below $TMPDIR, or /tmp
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
    // Writes a file (making its folders) and returns its path.
    std::filesystem::path write(std::string_view name, std::string_view text) const;

private:
    std::filesystem::path path_;
};

// The whole file as bytes.
std::string read_file(const std::filesystem::path& path);

}  // namespace drover::test
