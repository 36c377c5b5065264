// How each kind of step is read (see StepKind), and the keys of those whose value is a map.
#pragma once
#include <memory>
#include <string>

#include "job/step_kinds.hpp"

namespace drover::job {

using ReadStep = std::shared_ptr<const Action>(const yaml::Node& value, const std::string& path, FileReader& reader);

ReadStep read_run, read_sleep, read_fail, read_wait_for, read_reboot, read_host_run, read_instrument;
ReadStep read_push, read_pull, read_install, read_uninstall, read_screenshot, read_bugreport, read_logcat;

// `true`, the only value that steps without keys have. False: reported.
bool read_yes(const yaml::Node& value, const std::string& path, FileReader& reader);

inline constexpr yaml::KeySpec kWaitForKeys[] = {
    {"property", false, "text", "The name of a property; goes with `value`."},
    {"value", false, "text", "What the property must be."},
    {"package", false, "text", "An app that must be installed."},
    {"boot", false, "yes", "Android has booted."},
    {"idle", false, "load", "The load average of the last minute must not be above this number."},
    {"command", false, "shell", "A shell line that must exit with 0."},
    {"every", false, "duration", "How often the phone is asked; 1s when not given."},
};

inline constexpr yaml::KeySpec kInstrumentKeys[] = {
    {"runner", true, "text",
     "The package of the tests and their runner: com.x.test/androidx.test.runner.AndroidJUnitRunner."},
    {"args", false, "texts", "What the runner is told with -e: class, size, numShards."},
};

inline constexpr yaml::KeySpec kHostRunKeys[] = {
    {"program", false, "arguments", "A program and its arguments; each is one argument, whatever is put in."},
    {"shell", false, "shell", "A shell line for this host's sh, instead of a program."},
    {"once", false, "boolean", "Whether it runs once for all phones; the others wait for it."},
    {"directory", false, "text", "Where it runs; drover's own working directory when not given."},
};

inline constexpr yaml::KeySpec kPushKeys[] = {
    {"from", true, "paths", "Files or directories of this host."},
    {"to", true, "text", "Where to on the phone: a file, or a directory that is there or ends with a slash."},
    {"compress", false, "compress", "How they travel, where the phone can; auto when not given."},
};

inline constexpr yaml::KeySpec kPullKeys[] = {
    {"from", true, "paths", "Files or directories of the phone."},
    {"to", false, "text",
     "A directory of this host, in which each phone has its own; the artifacts of the step when not given."},
    {"compress", false, "compress", "How they travel, where the phone can; none when not given."},
};

inline constexpr yaml::KeySpec kInstallKeys[] = {
    {"apk", true, "paths", "The package on this host, or all packages of a split app."},
    {"replace", false, "boolean", "-r: replaces an installed one and keeps its data."},
    {"downgrade", false, "boolean", "-d: allows an older version."},
    {"grant", false, "boolean", "-g: grants all permissions it asks for."},
    {"skip-same", false, "text",
     "The app's name, com.example.app: nothing is done where just these packages are installed, by their SHA-256."},
};

inline constexpr yaml::KeySpec kUninstallKeys[] = {
    {"package", true, "text", "As in com.example.app."},
    {"keep-data", false, "boolean", "-k: keeps the app's data."},
};

inline constexpr yaml::KeySpec kKeepKeys[] = {
    {"to", false, "text",
     "A directory of this host, in which each phone has its own; the artifacts of the step when not given."},
};

inline constexpr yaml::KeySpec kLogcatKeys[] = {
    {"to", false, "text",
     "A directory of this host, in which each phone has its own; the artifacts of the step when not given."},
    {"time", false, "duration", "How long to listen; without it what the phone has (-d)."},
    {"whole-job", false, "boolean",
     "Goes on behind the steps that follow until the job is over, through restarts, `finally` included."},
    {"args", false, "shell", "Further arguments of logcat, as in -b crash '*:E'."},
};

}  // namespace drover::job
