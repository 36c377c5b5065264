// A path of this host as it stands in a job file: relative to the folder of that file. Pure; immutable; any thread.
// Failure: expand() says what is wrong. What a phone says of itself cannot lead out of the directory that the text names.
#pragma once
#include <filesystem>
#include <string>

#include "job/template.hpp"

namespace drover::job {

class LocalPath {
public:
    LocalPath(Template text, std::filesystem::path folder) : text_(std::move(text)), folder_(std::move(folder)) {}

    tl::expected<std::filesystem::path, std::string> expand(const Scope& scope) const;
    std::string preview(const Scope& scope) const;
    const Template& text() const { return text_; }

private:
    Template text_;
    std::filesystem::path folder_;
};

}  // namespace drover::job
