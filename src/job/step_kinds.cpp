#include "job/step_kinds.hpp"

#include <fmt/format.h>

#include <array>

#include "job/steps/kinds.hpp"

namespace drover::job {
namespace {

const std::array kKinds{
    StepKind{{"run", false, "shell", "A shell line, or several, for the phone's shell."}, {}, read_run, true, true},
    StepKind{{"sleep", false, "duration", "Waits that long."}, {}, read_sleep},
    StepKind{{"fail", false, "text", "Ends the job on this phone as failed, with this message."}, {}, read_fail},
    StepKind{{"wait-for", false, "wait-for", "Asks the phone again and again until this holds."},
             kWaitForKeys,
             read_wait_for,
             true},
    StepKind{{"host-run", false, "host-run", "Runs a program on this host, for each phone or once."},
             kHostRunKeys,
             read_host_run,
             true,
             true},
    StepKind{{"instrument", false, "instrument", "Runs instrumented tests; each becomes a test case of the reports."},
             kInstrumentKeys,
             read_instrument,
             true,
             true},
    StepKind{{"push", false, "push", "Copies files and directories of this host to the phone."}, kPushKeys, read_push},
    StepKind{{"pull", false, "pull", "Copies files and directories of the phone to this host."}, kPullKeys, read_pull},
    StepKind{{"install", false, "install", "Installs an app; several packages are the parts of one."},
             kInstallKeys,
             read_install},
    StepKind{{"uninstall", false, "uninstall", "Removes an app."}, kUninstallKeys, read_uninstall},
    StepKind{{"screenshot", false, "screenshot", "Keeps a picture of the screen, screenshot.png."},
             kKeepKeys,
             read_screenshot},
    StepKind{{"bugreport", false, "bugreport", "Keeps a bug report, bugreport.zip; that takes minutes."},
             kKeepKeys,
             read_bugreport},
    StepKind{{"logcat", false, "logcat", "Keeps the phone's log, logcat.txt."}, kLogcatKeys, read_logcat},
    StepKind{{"reboot", false, "yes", "Restarts the phone and waits until it has booted."}, {}, read_reboot},
};

std::string kinds_that(bool StepKind::*is) {
    std::string out;
    for (const auto& kind : kKinds) {
        if (kind.*is) out += fmt::format("{}{}", out.empty() ? "" : ", ", kind.key.name);
    }
    return out;
}

}  // namespace

bool read_yes(const yaml::Node& value, const std::string& path, FileReader& reader) {
    const auto wanted = yaml::read_bool(value, path, reader.problems());
    if (wanted && !*wanted) reader.problems().add(value.mark, path, "only true has a meaning here");
    return wanted.value_or(false);
}

std::span<const StepKind> step_kinds() { return kKinds; }

std::string kinds_with_env() { return kinds_that(&StepKind::takes_env); }
std::string kinds_with_code() { return kinds_that(&StepKind::has_code); }

}  // namespace drover::job
