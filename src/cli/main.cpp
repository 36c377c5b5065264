#include <exception>

#include "cli/command.hpp"
#include "cli/terminal.hpp"

int main(int argc, char** argv) {
    using namespace drover;
    using namespace drover::cli;
    keep_standard_streams_open();
    Context context;
    Program program(context);
    add_exec(program, context);
    add_run(program, context);
    add_shell(program, context);
    add_push(program, context);
    add_pull(program, context);
    add_install(program, context);
    add_uninstall(program, context);
    add_screenshot(program, context);
    add_logcat(program, context);
    add_devices(program, context);
    add_status(program, context);
    add_wait(program, context);
    add_disable(program, context);
    add_doctor(program, context);
    add_validate(program, context);
    add_plan(program, context);
    add_schema(program, context);
    add_serve(program, context);
    add_agent(program, context);
    add_source(program, context);
    add_task(program, context);
    add_token(program, context);
    add_codes(program, context);
    add_keygen(program, context);
    add_sim(program, context);
    add_version(program, context);
    // What the kernel refuses at the start (no descriptor, no thread, no memory) comes as an exception; nothing was sent then.
    try {
        return program.run(argc, argv);
    } catch (const std::exception& why) {
        return report_error(Error(Code::out_of_resources, why.what()));
    }
}
