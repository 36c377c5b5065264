// The directory in which a pull is written before it takes its place, DIR/.NAME.pulling-N. It is locked while it is used: what a
// killed drover left there is nobody's, and the next one for the same name removes it. One that another drover uses stays.
//
// Blocks: for the work pool. One thread. Ownership: whoever made it; the destructor removes it with all that is in it. Failure:
// Result with the system's reason.
#pragma once
#include <filesystem>
#include <string>

#include "base/unique_fd.hpp"
#include "drover/error.hpp"

namespace drover::transfer {

class AsideDirectory {
public:
    AsideDirectory() = default;
    static Result<AsideDirectory> make(const std::filesystem::path& directory, const std::string& name);
    AsideDirectory(AsideDirectory&& other) noexcept;
    AsideDirectory& operator=(AsideDirectory&& other) noexcept;
    ~AsideDirectory();

    int fd() const { return fd_.get(); }
    explicit operator bool() const { return static_cast<bool>(fd_); }

private:
    AsideDirectory(std::filesystem::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

    std::filesystem::path path_;
    UniqueFd fd_;
};

}  // namespace drover::transfer
