// The bodies between an agent and its controller: never a crash; a command that is taken can be reported within the limit, and the
// controller's side reads that report as what it is.
#include "agent/command.hpp"
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "http/source_body.hpp"

namespace {

using namespace drover;

void report_of(const agent::Command& command, std::string_view text) {
    agent::Outcome outcome;
    outcome.ok = text.size() % 2 == 0;
    outcome.msg = text;
    outcome.instances = agent::Counts{text.size(), 0, text.size()};
    for (std::size_t i = 0; i < text.size() % 16; ++i)
        outcome.failures.push_back({"phone-1", "CPS.0191", std::string(text)});
    const auto report = agent::build_report(command.key, outcome);
    DROVER_ASSERT(report.size() <= agent::kReportBytesMax);
    const auto read = http::parse_result_body(report);
    DROVER_ASSERT(read.has_value());
    DROVER_ASSERT(read->name == command.key.name && read->task_id == command.key.task_id);
    DROVER_ASSERT(read->result == (outcome.ok ? "success" : "fail"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto body = as_text({data, size});
    if (const auto command = agent::parse_command(body); command && *command) report_of(**command, body);
    if (const auto result = http::parse_result_body(body)) {
        DROVER_ASSERT(result->bytes == body && !result->name.empty());
        DROVER_ASSERT(result->detail.starts_with('{'));
    }
    if (const auto sent = http::parse_source_command_body(body)) {
        // What a controller takes in, an agent takes for a command.
        const auto taken = agent::parse_command(body);
        DROVER_ASSERT(taken && *taken && (*taken)->key.name == sent->name);
    }
    if (const auto source = http::parse_source_body(body)) DROVER_ASSERT(http::valid_server_id(source->server_id));
    return 0;
}
