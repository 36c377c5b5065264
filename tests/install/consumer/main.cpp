// An embedding program, as a user would write it against an installed drover: opens a fleet of one phone that is not
// there, runs a command on it, and expects the row that says so.
#include <cstdio>
#include <drover/fleet.hpp>

namespace {

struct Rows : drover::RowSink {
    std::vector<drover::Row> rows;
    void on_row(drover::Row row) override { rows.push_back(std::move(row)); }
    void on_done() override {}
};

}  // namespace

int main(int, char** argv) {
    drover::FleetOptions options;
    options.inventory = argv[1];
    auto fleet = drover::Fleet::open(options);
    if (!fleet) {
        std::printf("open: %s\n", fleet.error().message.c_str());
        return 1;
    }
    const auto selection = (*fleet)->select("all");
    if (!selection) return 1;
    drover::ExecOptions exec;
    exec.command.text = "true";
    Rows rows;
    (*fleet)->exec(selection->targets, exec, rows)->wait();
    for (const auto& row : rows.rows) {
        std::printf("%s %s\n", row.instance_id.c_str(), std::string(drover::info(row.code).name).c_str());
    }
    return rows.rows.size() == 1 ? 0 : 1;
}
