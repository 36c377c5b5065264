#include <fmt/format.h>

#include "adb/auth.hpp"
#include "base/home.hpp"
#include "cli/json_choice.hpp"
#include "cli/terminal.hpp"

namespace drover::cli {
namespace {

int keygen(const Context& context, const std::string& file) {
    ignore_sigpipe();
    auto path = std::filesystem::path(file);
    if (path.empty()) {
        const auto home = home_directory();
        if (home.empty()) return report_error(Error(Code::usage, "keygen: there is no home directory; name a file"));
        path = home / ".android" / "adbkey";
        std::error_code error;
        if (std::filesystem::create_directories(path.parent_path(), error)) {
            std::filesystem::permissions(path.parent_path(), std::filesystem::perms::owner_all, error);
        }
        if (error) return report_error(Error(Code::bad_key, path.parent_path().string() + ": " + error.message()));
    }
    if (const auto written = adb::write_new_key(path); !written) return report_error(written.error());
    const auto its_public = path.string() + ".pub";
    return print_result(context, fmt::format("{}\n{}\n", path.string(), its_public),
                        {{"schema", 1}, {"private_key", path.string()}, {"public_key", its_public}});
}

}  // namespace

void add_keygen(Program& program, Context& context) {
    auto file = std::make_shared<std::string>();
    auto& command = program.add("keygen", "Makes a new ADB key; never replaces one");
    command.positional("FILE", *file, "where to (~/.android/adbkey)", Need::optional);
    command.action([file, &context] { return keygen(context, *file); });
}

}  // namespace drover::cli
