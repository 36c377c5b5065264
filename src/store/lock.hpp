// One process at a time has a database file: a lock beside it, held by a descriptor and gone with its process. Any thread.
// Failure: Code::store_failed, naming the file.
#pragma once
#include <filesystem>

#include "drover/error.hpp"

namespace drover::store {

Result<int> take_lock(const std::filesystem::path& file);
void release_lock(int lock);

}  // namespace drover::store
