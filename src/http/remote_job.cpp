#include "http/remote_job.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/yaml_tree.hpp"
#include "job/model.hpp"

namespace drover::http {
namespace {

constexpr std::string_view kFileKeys[] = {"version", "name",     "on",    "vars",   "env",
                                          "timeout", "strategy", "steps", "finally"};
constexpr std::string_view kStepKeys[] = {"name",     "if",   "timeout",  "retry",   "continue-on-error",
                                          "ok-codes", "env",  "register", "run",     "idempotent",
                                          "sleep",    "fail", "reboot",   "wait-for"};

Result<void> check_keys(const yaml::Node& map, std::span<const std::string_view> known, const std::string& file,
                        std::string_view besides = {}) {
    for (const auto& entry : map.entries) {
        if (entry.key == besides || std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
        return fail(
            Code::bad_job,
            yaml::located(file, entry.key_mark,
                          fmt::format("a drover server does not do `{}` for its clients; run this job directly, "
                                      "with --inventory FILE",
                                      entry.key)));
    }
    return {};
}

}  // namespace

Result<void> check_remote_job(std::string_view text, const std::string& file, bool client_notifies) {
    const auto root = yaml::parse(text, {file, Code::bad_job, job::kJobBytesMax});
    if (!root) return tl::unexpected(root.error());
    if (auto checked = check_keys(*root, kFileKeys, file, client_notifies ? "notify" : ""); !checked) return checked;
    for (const char* list : {"steps", "finally"}) {
        const auto* steps = root->find(list);
        if (!steps) continue;
        for (const auto& step : steps->value.items) {
            if (auto checked = check_keys(step, kStepKeys, file); !checked) return checked;
        }
    }
    return {};
}

}  // namespace drover::http
