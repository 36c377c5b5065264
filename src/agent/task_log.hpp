// What a task's runs said, one file for each task, and the directories such files are handed out to.
//
// Threads: a TaskLog by one; upload() and reset_mode() by any. Task ids and buckets come from the configuration, where they are
// plain names: no path is ever made of what a controller sent. Failure: Code::output_not_written; a log that cannot be
// written stops nothing.
#pragma once
#include <filesystem>
#include <string>

#include "drover/row.hpp"
#include "http/agent_config.hpp"

namespace drover::agent {

constexpr std::uint64_t kLogBytesMax = 64 * 1024 * 1024;  // of one file; later lines are left out

class TaskLog {
public:
    explicit TaskLog(std::filesystem::path directory) : directory_(std::move(directory)) {}

    std::filesystem::path file_of(const std::string& task_id) const { return directory_ / (task_id + ".log"); }
    // A line with the time.
    void note(const std::string& task_id, std::string_view text);
    void add(const std::string& task_id, const Row& row);
    void forget(const std::string& task_id);

private:
    void append(const std::string& task_id, const std::string& lines);
    const std::filesystem::path directory_;
    bool told_ = false;
};

// Copies `file` into the bucket's directory, in one step.
Result<std::filesystem::path> upload(const std::filesystem::path& file, const http::LogBucket& bucket);
Result<void> reset_mode(const http::LogBucket& bucket);

}  // namespace drover::agent
