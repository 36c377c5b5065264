// Runs a fuzz target on every file of a folder, and on every shorter beginning of the small ones: the end of input is
// where parsers slip. A crash or a sanitizer's word is the failure; so is a folder without files.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kTornBytesMax = 2048;

void try_all_beginnings(const std::vector<char>& bytes) {
    const std::size_t first = bytes.size() <= kTornBytesMax ? 0 : bytes.size();
    for (std::size_t size = first; size <= bytes.size(); ++size) {
        // A copy of exactly this size, so that AddressSanitizer sees a read past its end.
        const std::vector<std::uint8_t> input(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::error_code error;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(argc > 1 ? argv[1] : "", error)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
        std::printf("%s\n", file.filename().c_str());
        std::fflush(stdout);
        std::ifstream stream(file, std::ios::binary);
        try_all_beginnings({std::istreambuf_iterator<char>(stream), {}});
    }
    std::printf("%zu files\n", files.size());
    return files.empty() ? 1 : 0;
}
