#include "job/action.hpp"

#include <fmt/format.h>

#include "base/shell_quote.hpp"

namespace drover::job {

std::string shell_exports(const std::vector<std::pair<std::string, std::string>>& env) {
    std::string out;
    for (const auto& [name, value] : env) out += fmt::format("export {}={}; ", name, shell_quote(value));
    return out;
}

}  // namespace drover::job
