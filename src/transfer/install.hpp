// Packages: streamed into the phone's package manager where it takes that (feature `cmd`), several parts of one app in a session;
// pushed and installed from a file on older phones.
//
// Threads, ownership: as operations.hpp. Failure: the package manager's own words as command_failed: it is the package's fault, or
// the phone's, never the link's.
#pragma once
#include "transfer/operations.hpp"
#include "transfer/script.hpp"

namespace drover::transfer {

struct Apk {
    std::string path;
    std::string name;  // the last part of the path
    std::uint64_t bytes = 0;
};
// Looks at the files; blocks. Failure: local_file.
Result<std::vector<Apk>> plan_install(const std::vector<std::string>& paths);

struct InstallOptions {
    bool replace = false;    // -r: keep the app's data
    bool downgrade = false;  // -d
    bool grant = false;      // -g: all permissions
    // Nothing is installed where just these packages are: the phone is asked for the SHA-256 of what `package` consists of.
    struct Same {
        std::string package;               // valid_package()
        std::vector<std::string> digests;  // of the packages, in hex
    };
    std::optional<Same> skip_same;
};
// What make_install() does on a phone. Several packages are the parts of one app.
std::unique_ptr<Script> install_script(std::vector<Apk> apks, InstallOptions options);
dispatch::OperationFactory make_install(WorkPool& pool, std::vector<Apk> apks, InstallOptions options,
                                        TransferLimits limits);

// [A-Za-z0-9._]+
bool valid_package(std::string_view name);
dispatch::OperationFactory make_uninstall(WorkPool& pool, std::string package, bool keep_data, TransferLimits limits);

}  // namespace drover::transfer
