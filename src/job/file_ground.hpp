// What the steps that touch files of this host share in one run. Values and references; never changed while the run lasts; any
// thread.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/work_pool.hpp"
#include "dispatch/turns.hpp"
#include "transfer/file_digests.hpp"

namespace drover::job {

struct FileGround {
    WorkPool& disk;
    dispatch::Turns& turns;
    TransferTurns limits;
    std::shared_ptr<transfer::FileDigests> digests;  // what is under way on the pool may outlive the run
    std::filesystem::path artifacts;                 // empty: the run keeps none
    std::vector<std::string> step_directories;       // of each step of the run, below that of the phone
};

}  // namespace drover::job
