// Phones that people took out of service: a file in the state directory, shared by the command line and `drover serve`.
//
// One line per phone: ID, seconds since 1970, who, reason, with tabs between. Threads: any; processes: any, one changes the file
// at a time, and readers see the old or the new file as a whole. Failure: Code::store_failed. A file that cannot be read is an
// error and not "no marks": a phone that somebody disabled must not get commands by accident.
#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "drover/error.hpp"

namespace drover::fleet {

struct Mark {
    std::string reason;  // one line
    std::string by;      // the user's name
    std::chrono::system_clock::time_point since;

    bool operator==(const Mark&) const = default;
};
using Marks = std::map<std::string, Mark>;  // by instance id

constexpr std::size_t kMarksBytesMax = 8 * 1024 * 1024;
constexpr std::size_t kReasonBytesMax = 200;

std::filesystem::path marks_file(const std::filesystem::path& state_dir);

// No file, or an empty path: no marks.
Result<Marks> load_marks(const std::filesystem::path& state_dir);
// The file's text; `file` is its name in messages.
Result<Marks> parse_marks(const std::string& text, const std::filesystem::path& file);
std::string to_text(const Marks& marks);
// Reads, lets `change` work on them, and writes them back, on disk when this returns. Makes the folder.
Result<void> change_marks(const std::filesystem::path& state_dir, const std::function<void(Marks&)>& change);

// Takes phones out of service, or (nullopt) back; true for each that was not so before.
Result<std::vector<bool>> set_marks(const std::filesystem::path& state_dir, const std::vector<std::string>& ids,
                                    const std::optional<Mark>& mark);

// Fit for the file: no control characters, at most kReasonBytesMax bytes.
std::string clean_reason(std::string_view text);

}  // namespace drover::fleet
