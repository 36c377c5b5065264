#include "job/local_path.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace drover::job {
namespace {

namespace fs = std::filesystem;

std::ptrdiff_t ways_up(const fs::path& path) { return std::count(path.begin(), path.end(), fs::path("..")); }

}  // namespace

tl::expected<fs::path, std::string> LocalPath::expand(const Scope& scope) const {
    const auto text = text_.expand(scope);
    if (!text) return tl::unexpected(text.error());
    if (text->empty()) return tl::unexpected(std::string("a path is empty"));
    // What the file and the inventory say is trusted; what the phone says (phone.*, outputs, a serial) is not.
    Instance known;
    known.id = scope.phone.id;
    known.labels = scope.phone.labels;
    const Scope before{known, {}, {}, scope.matrix, scope.secrets, scope.run_id, scope.standing};
    const fs::path path(*text), written(text_.preview(before));
    if (path.is_absolute() != written.is_absolute() || ways_up(path) > ways_up(written)) {
        return tl::unexpected(
            fmt::format("'{}': a value leads out of the directory that '{}' names", path.string(), written.string()));
    }
    return (folder_ / path).lexically_normal();
}

std::string LocalPath::preview(const Scope& scope) const { return (folder_ / text_.preview(scope)).lexically_normal(); }

}  // namespace drover::job
