// drover doctor: what stands between this host and its phones, and what to do about it. Changes nothing.
#include "cli/fleet_choice.hpp"
#include "cli/json_choice.hpp"
#include "cli/terminal.hpp"
#include "drover/command.hpp"
#include "fleet/doctor_facts.hpp"
#include "report/doctor_text.hpp"

namespace drover::cli {
namespace {

struct DoctorArguments {
    std::chrono::milliseconds connect = Limits{}.connect;
};

// Links to every phone drover would use: only that tells which of them want a tap.
void try_phones(const Context& context, const DoctorArguments& o, fleet::HostFacts& facts) {
    auto fleet = open_fleet(context);
    if (!fleet) {
        if (fleet.error().code != Code::server_unreachable) say("drover: " + fleet.error().message);
        return;
    }
    std::vector<std::size_t> targets;
    for (std::size_t i = 0; i < (*fleet)->instances().size(); ++i) {
        const Instance& instance = (*fleet)->instances()[i];
        if (!instance.disabled) {
            targets.push_back(i);
            continue;
        }
        facts.fleet.push_back({instance.id, instance.serial, "disabled", "", true});
    }
    for (const auto& phone : (*fleet)->probe(targets, o.connect)) {
        const Instance& instance = phone.instance;
        auto serial = instance.serial.empty() ? to_string(instance.address) : instance.serial;
        facts.fleet.push_back({instance.id, std::move(serial), phone.adb_state, phone.why, false});
    }
}

int doctor(const Context& context, const DoctorArguments& o) {
    ignore_sigpipe();
    auto facts = fleet::gather_host_facts(fleet::HostPlaces());
    fleet::gather_keys(facts);
    const auto address = adb::server_address_from_environment();
    if (!address) return report_error(address.error());
    fleet::ask_adb_server(facts, *address);
    try_phones(context, o, facts);
    const auto findings = fleet::judge(facts);
    ResultStream results;
    results.write(wants_json(context) ? report::doctor_document(findings) : report::doctor_text(findings));
    const int code = results.exit_code();
    const bool problems = report::count(findings, fleet::FindingLevel::problem) > 0;
    return problems ? 1 : code;
}

}  // namespace

void add_doctor(Program& program, Context& context) {
    auto o = std::make_shared<DoctorArguments>();
    auto& command = program.add("doctor", "Says what stands between this host and its phones, and what to do");
    command.duration("--connect-timeout", o->connect, "how long to wait for each phone (5s)");
    command.takes_config();
    command.action([o, &context] { return doctor(context, *o); });
}

}  // namespace drover::cli
