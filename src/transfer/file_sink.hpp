// One file of this host that is received: written aside under a name of its own, and put in its place when it is whole; or written
// in its place as it comes, where a part is better than nothing whatever happens to this process.
// Blocks: for the work pool. One thread at a time. Failure: local_file with the path and the system's reason.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/bytes.hpp"
#include "drover/error.hpp"

namespace drover::transfer {

class FileSink {
public:
    enum class Way : std::uint8_t { aside, in_place };
    explicit FileSink(std::filesystem::path place, Way way = Way::aside) : place_(std::move(place)), way_(way) {}
    ~FileSink() { discard(); }
    FileSink(const FileSink&) = delete;
    FileSink& operator=(const FileSink&) = delete;

    Result<void> write(ByteView bytes);
    Result<void> commit();  // an empty file where nothing was written
    void discard();
    std::uint64_t bytes() const { return bytes_; }

private:
    Result<void> begin();
    tl::unexpected<Error> os_error() const;

    const std::filesystem::path place_;
    const Way way_;
    std::string aside_;
    int fd_ = -1;
    std::uint64_t bytes_ = 0;
};

}  // namespace drover::transfer
