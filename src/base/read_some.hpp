// The beginning of a small file, such as the kernel's in /sys and /proc, whose size says nothing. Any thread; may block for as long as
// the file's system does. A file that is not there or cannot be read is empty.
#pragma once
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace drover {

inline std::string read_some(const std::filesystem::path& file, std::size_t bytes_max) {
    std::string content(bytes_max, '\0');
    std::ifstream in(file, std::ios::binary);
    in.read(content.data(), static_cast<std::streamsize>(bytes_max));
    content.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    return content;
}

}  // namespace drover
