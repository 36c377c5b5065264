#include "transfer/install.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/verb.hpp"
#include "dispatch/fleet_impl.hpp"

namespace drover::cli {
namespace {

struct InstallWords {
    CallOptions call;
    std::vector<std::string> apks;
    transfer::InstallOptions options;
};

int install(const Context& context, const InstallWords& o) {
    const auto apks = transfer::plan_install(o.apks);
    if (!apks) return report_error(Error(Code::usage, "install: " + apks.error().message));
    Verb verb;
    verb.name = fmt::format("install {}", fmt::join(o.apks, " "));
    verb.make = [&](Fleet& fleet, transfer::TransferLimits limits) {
        return transfer::make_install(fleet.impl().ground->disk(), *apks, o.options, limits);
    };
    return run_verb(context, o.call, verb);
}

struct UninstallWords {
    CallOptions call;
    std::string package;
    bool keep_data = false;
};

int uninstall(const Context& context, const UninstallWords& o) {
    if (!transfer::valid_package(o.package)) {
        return report_error(Error(Code::usage, fmt::format("uninstall: '{}' is no package name; one looks like "
                                                           "com.example.app",
                                                           o.package)));
    }
    Verb verb;
    verb.name = "uninstall " + o.package;
    verb.bulk = false;
    verb.make = [&](Fleet& fleet, transfer::TransferLimits limits) {
        return transfer::make_uninstall(fleet.impl().ground->disk(), o.package, o.keep_data, limits);
    };
    return run_verb(context, o.call, verb);
}

}  // namespace

void add_install(Program& program, Context& context) {
    auto o = std::make_shared<InstallWords>();
    auto& command = program.add("install", "Installs an app on phones; several packages are the parts of one app");
    command.positionals("APK", o->apks, "the package, or all packages of a split app");
    add_verb_options(command, o->call);
    command.flag("-r", o->options.replace, "replace an installed one and keep its data");
    command.flag("-d", o->options.downgrade, "allow an older version");
    command.flag("-g", o->options.grant, "grant all permissions it asks for");
    command.action([o, &context] { return install(context, *o); });
}

void add_uninstall(Program& program, Context& context) {
    auto o = std::make_shared<UninstallWords>();
    auto& command = program.add("uninstall", "Removes an app from phones");
    command.positional("PACKAGE", o->package, "as in com.example.app", Need::required);
    add_verb_options(command, o->call);
    command.flag("-k", o->keep_data, "keep the app's data");
    command.action([o, &context] { return uninstall(context, *o); });
}

}  // namespace drover::cli
