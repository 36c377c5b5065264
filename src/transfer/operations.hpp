// What can be done with files on a phone, as operations: for the plain verbs and for the steps of jobs.
//
// The factories run once for each phone, on its loop. What can be known before anything is sent is checked before: plan_push(),
// pull_names(). Threads: any. Ownership: the pool (Fleet::Impl::disk()) outlives what the factories make.
#pragma once
#include <filesystem>
#include <functional>

#include "transfer/pull_task.hpp"
#include "transfer/push_task.hpp"
#include "transfer/stream_operation.hpp"

namespace drover::transfer {

// The row says "3 files, 4711 bytes". Directories in which nothing is are made too; modes and times of files are kept as far
// as the phone's daemon lets them; links stay links.
dispatch::OperationFactory make_push(WorkPool& pool, std::shared_ptr<const PushPlan> plan, PushOptions options,
                                     TransferLimits limits);

// Where on this host what comes from one phone is put; the directory that holds it is there.
using PlaceOf = std::function<std::filesystem::path(const Instance& phone)>;

// Into the directory PLACE, see PullTree and PullTask. names: see pull_names().
dispatch::OperationFactory make_pull(WorkPool& pool, PullOptions options, std::vector<std::string> names, PlaceOf place,
                                     TransferLimits limits);

// One picture, the file PLACE.
dispatch::OperationFactory make_screenshot(WorkPool& pool, PlaceOf place, TransferLimits limits);

// The log, the file PLACE, until the program ends or limits.enough is over; what came before a failure is kept.
// words: further arguments of logcat, as the phone's shell reads them.
dispatch::OperationFactory make_logcat(WorkPool& pool, std::string words, PlaceOf place, TransferLimits limits);
// The same, and the file is there as the log comes.
dispatch::OperationFactory make_growing_logcat(WorkPool& pool, std::string words, PlaceOf place, TransferLimits limits);

}  // namespace drover::transfer
