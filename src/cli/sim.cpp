// drover sim: virtual phones on loopback ports, until told to stop.
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <fstream>

#include "base/log.hpp"
#include "cli/command.hpp"
#include "cli/terminal.hpp"
#include "sim/fleet.hpp"
#include "sim/port_picker.hpp"
#include "sim/profile_file.hpp"

namespace drover::cli {
namespace {

constexpr std::uint64_t kDefaultPort = sim::PortPicker::kFirst;

struct SimOptions {
    std::uint64_t count = 20;
    std::uint64_t port = kDefaultPort;
    std::uint64_t seed = 1;
    std::string host = "127.0.0.1";
    std::optional<std::filesystem::path> profile;
    std::optional<std::filesystem::path> write_inventory;
};

Result<void> write_inventory(const std::filesystem::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::trunc);
    file << text;
    file.close();
    if (!file) return fail(Code::output_not_written, fmt::format("{}: cannot be written", path.string()));
    return {};
}

int run_sim(const SimOptions& o) {
    // Before anything starts, so that a signal that comes early is not lost and still leaves nothing behind.
    boost::asio::io_context io;
    boost::asio::signal_set signals(io, SIGINT, SIGTERM, SIGHUP);
    signals.async_wait([&io](const boost::system::error_code&, int) { io.stop(); });

    sim::FleetOptions options;
    options.count = o.count;
    options.port = static_cast<std::uint16_t>(o.port);
    options.host = o.host;
    options.seed = o.seed;
    if (o.profile) {
        auto file = sim::ProfileFile::load(*o.profile);
        if (!file) return report_error(file.error());
        const auto shared = std::make_shared<sim::ProfileFile>(std::move(*file));
        options.profile = [shared, seed = o.seed](std::uint32_t number, const std::string& id) {
            return shared->for_phone(number, id, seed);
        };
    }
    auto fleet = sim::Fleet::start(std::move(options));
    if (!fleet) return report_error(fleet.error());
    if (const auto refusal = (*fleet)->refusal(); !refusal.empty()) {
        log::warn("only scripted commands will be answered: {}", refusal);
    }
    if (o.write_inventory) {
        if (auto written = write_inventory(*o.write_inventory, (*fleet)->inventory()); !written)
            return report_error(written.error());
    }
    ResultStream results;
    results.write(fmt::format("ready: {} phones\n", o.count));
    if (results.lost()) return results.exit_code();
    io.run();
    return 0;
}

}  // namespace

void add_sim(Program& program, Context&) {
    auto o = std::make_shared<SimOptions>();
    auto& command = program.add("sim", "Starts virtual phones on loopback ports, until SIGTERM");
    command.number("--count", "N", o->count, "how many phones (20)", 1, sim::Fleet::kPhonesMax);
    command.number("--port", "P", o->port, "the first phone's port (16384); 0: any free ones", 0, 65'535);
    command.text("--host", "H", o->host,
                 "the address to listen on (127.0.0.1); others than 127/8 need `auth: trusted`");
    command.path("--profile", "F", o->profile, "what the phones are like: a profile file");
    command.number("--seed", "S", o->seed, "for everything that is random (1)", 0, UINT64_MAX);
    command.path("--write-inventory", "F", o->write_inventory, "writes an inventory of these phones");
    command.action([o] { return run_sim(*o); });
}

}  // namespace drover::cli
