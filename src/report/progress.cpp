#include "report/progress.hpp"

#include <fmt/format.h>

namespace drover::report {

std::string progress_text(std::size_t done, std::size_t total, std::size_t failed, std::span<const std::string> running,
                          std::size_t width) {
    auto text = fmt::format("{}/{} done", done, total);
    if (failed > 0) text += fmt::format(", {} failed", failed);
    if (!running.empty() && running.size() <= kProgressNamesMax) {
        text += ", still:";
        for (const auto& id : running) text += " " + id;
    }
    if (text.size() > width) text.resize(width);  // ids are ASCII
    return text;
}

}  // namespace drover::report
