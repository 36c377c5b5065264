// The home of the user this process runs as. Any thread.
#pragma once
#include <filesystem>

namespace drover {

// $HOME, else what the user database says; empty when neither knows.
std::filesystem::path home_directory();

}  // namespace drover
