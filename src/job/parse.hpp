// Reads a job file, and the files it uses, into a Model. Any thread. Failure: every mistake, each as
// "FILE:LINE:COLUMN: what" with Code::bad_job, by file and position.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "job/model.hpp"

namespace drover::job {

// How the text of a used file is had. The error stands where `uses` stands.
using ReadFile = std::function<Result<std::string>(const std::string& file)>;
Result<std::string> read_from_disk(const std::string& file);

tl::expected<Model, std::vector<Error>> parse_job(std::string_view text, const std::string& file,
                                                  const ReadFile& read = read_from_disk);

}  // namespace drover::job
