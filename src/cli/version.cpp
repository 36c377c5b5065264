#include "cli/command.hpp"
#include "cli/json_choice.hpp"
#include "cli/terminal.hpp"

namespace drover::cli {

void add_version(Program& program, Context& context) {
    program.add("version", "Prints the version").action([&context] {
        ResultStream results;
        results.write(wants_json(context) ? "{\"schema\":1,\"version\":\"" DROVER_VERSION "\"}\n"
                                          : "drover " DROVER_VERSION "\n");
        return results.exit_code();
    });
}

}  // namespace drover::cli
