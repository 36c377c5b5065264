// The options that exec and run share. Main thread; what add_call_options() registers writes to `o`, which must live on.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "cli/command.hpp"
#include "drover/command.hpp"

namespace drover::cli {

constexpr std::uint64_t kMaxOutputBytesMax = 1ull << 30;  // what one row may be told to keep
constexpr std::uint64_t kMaxParallelMax = 1'000'000;

struct CallOptions {
    std::optional<std::string> on;
    std::optional<std::chrono::milliseconds> timeout;  // of each phone
    Limits limits;
    std::optional<std::chrono::milliseconds> deadline;
    std::uint64_t max_parallel = 0;  // 0: all
    std::uint64_t max_output_bytes = Limits{}.max_output_bytes;
    std::optional<std::filesystem::path> out_dir;
    bool allow_empty = false;

    Limits all_limits() const;  // with max_output_bytes in its place, without the timeout
};

void add_call_options(Subcommand& command, CallOptions& o);

}  // namespace drover::cli
