#include "job/schema.hpp"

#include "cli/command.hpp"
#include "cli/terminal.hpp"

namespace drover::cli {

void add_schema(Program& program, Context&) {
    auto& command = program.add("schema", "Prints the JSON Schema of job files, for editors and validators");
    command.action([] {
        ResultStream results;
        results.write(job::job_schema());
        return results.exit_code();
    });
}

}  // namespace drover::cli
