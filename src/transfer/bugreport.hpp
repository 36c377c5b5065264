// A bug report: the phone's bugreportz writes it, which takes minutes, and it is pulled into the file PLACE.
//
// Threads, ownership: as operations.hpp. Failure: command_failed with bugreportz's own words; phones from before Android 7 have none.
#pragma once
#include "transfer/operations.hpp"

namespace drover::transfer {

dispatch::OperationFactory make_bugreport(WorkPool& pool, PlaceOf place, TransferLimits limits);

}  // namespace drover::transfer
