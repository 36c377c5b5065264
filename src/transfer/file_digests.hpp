// SHA-256 of files of this host, each computed once however many phones ask. Blocks: for the work pool; who asks for a file while
// others are computed waits for them. Any thread. A file that has changed, by size or time, is computed anew. Failure: local_file.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "drover/error.hpp"

namespace drover::transfer {

class FileDigests {
public:
    Result<std::string> sha256(const std::string& path);  // 64 hex digits

private:
    struct Known {
        std::uint64_t bytes = 0;
        std::int64_t time_ns = 0;
        std::string hex;
    };
    std::mutex mutex_;
    std::map<std::string, Known> known_;
};

}  // namespace drover::transfer
