// drover doctor: what stands between this host and its phones, and what to do about it. Changes nothing.
#include "cli/fleet_choice.hpp"
#include "cli/json_choice.hpp"
#include "cli/serve_config.hpp"
#include "cli/server_client.hpp"
#include "cli/terminal.hpp"
#include "drover/command.hpp"
#include "fleet/doctor_facts.hpp"
#include "report/doctor_text.hpp"

namespace drover::cli {
namespace {

struct DoctorArguments {
    std::chrono::milliseconds connect = Limits{}.connect;
};

// What each phone calls itself: only that tells whether one is written down twice.
class OwnSerials final : public RowSink {
public:
    explicit OwnSerials(std::vector<fleet::PhoneFacts*> phones) : phones_(std::move(phones)) {}
    void on_row(Row row) override {
        if (row.code != Code::ok || row.truncated) return;
        auto& serial = phones_.at(row.index)->own_serial;
        serial = row.execute_msg;
        while (!serial.empty() && (serial.back() == '\n' || serial.back() == '\r')) serial.pop_back();
    }
    void on_done() override {}

private:
    const std::vector<fleet::PhoneFacts*> phones_;  // by row; rows come one at a time
};

void ask_serials(Fleet& fleet, const std::vector<std::size_t>& targets, std::vector<fleet::PhoneFacts*> phones,
                 std::chrono::milliseconds limit) {
    ExecOptions options;
    options.command = Command{"getprop ro.serialno", {}};
    options.command.limits.total = limit;
    OwnSerials serials(std::move(phones));
    fleet.exec(targets, std::move(options), serials)->wait();
}

// Links to every phone drover would use: only that tells which of them want a tap.
void try_phones(const Context& context, const DoctorArguments& o, fleet::HostFacts& facts) {
    auto fleet = open_fleet(context, {.connect = o.connect});
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
    std::vector<std::pair<std::size_t, std::size_t>> up;  // target, place in facts.fleet
    for (std::size_t i = 0; const auto& phone : (*fleet)->probe(targets, o.connect)) {
        const Instance& instance = phone.instance;
        auto serial = instance.serial.empty() ? to_string(instance.address) : instance.serial;
        if (phone.adb_state == "device") up.emplace_back(targets[i], facts.fleet.size());
        facts.fleet.push_back({instance.id, std::move(serial), phone.adb_state, phone.why, false});
        auto& fact = facts.fleet.back();
        if (std::holds_alternative<TcpAddress>(instance.address) && instance.via != Via::server) fact.descriptors = 1;
        if (const auto* usb = std::get_if<UsbPath>(&instance.address)) fact.usb_path = usb->path;
        ++i;
    }
    std::vector<std::size_t> asked;
    std::vector<fleet::PhoneFacts*> answers;
    for (const auto& [target, place] : up) {
        asked.push_back(target);
        answers.push_back(&facts.fleet[place]);
    }
    if (asked.size() > 1) ask_serials(**fleet, asked, std::move(answers), o.connect);
}

// As this user's commands would find it.
void ask_drover_server(fleet::HostFacts& facts) {
    constexpr std::chrono::milliseconds kPatience{3'000};
    const auto socket = default_socket_to_use();
    if (socket.empty()) return;
    auto& serve = facts.serve.emplace(fleet::ServeFacts{socket.string()});
    auto url = net::parse_url("unix:" + serve.socket);
    const auto data =
        url ? ServerClient(ServerChoice{std::move(*url), {}}).post("/drover/v1/select", R"({"on":"all"})", kPatience)
            : Result<boost::json::object>(tl::unexpected(url.error()));
    if (!data) {
        serve.error = data.error();
        return;
    }
    const auto number = [&](const char* key) -> std::uint64_t {
        const auto* value = data->if_contains(key);
        return value && value->is_number() ? value->to_number<std::uint64_t>() : 0;
    };
    if (const auto* ids = data->if_contains("instance_ids"); ids && ids->is_array())
        serve.phones = ids->get_array().size();
    serve.disabled = number("disabled_left_out");
    serve.held = number("phones_held");
    const auto* version = data->if_contains("version");
    serve.version = version && version->is_string() ? version->get_string().c_str() : "unknown";
}

int doctor(const Context& context, const DoctorArguments& o) {
    ignore_sigpipe();
    auto facts = fleet::gather_host_facts(fleet::HostPlaces());
    fleet::gather_keys(facts);
    const auto address = adb::server_address_from_environment();
    if (!address) return report_error(address.error());
    fleet::ask_adb_server(facts, *address);
    ask_drover_server(facts);
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
