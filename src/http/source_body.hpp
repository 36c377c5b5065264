// Request bodies of the calls about sources, read and judged before anything is changed. Pure; any thread.
// Failure: one sentence that names the key and the rule.
#pragma once
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "store/source_store.hpp"

namespace drover::http {

constexpr std::size_t kSourceTextMax = 255;  // characters of a server_id, a command's name, a task_id, a bucket

// 1 to kSourceTextMax characters.
bool valid_server_id(std::string_view id);

// An agent's report: {command_name, result: success|fail, result_detail: {…}}. Becomes SMS.6022.
tl::expected<store::SourceResult, std::string> parse_result_body(std::string_view body);
// {command_name, command_param: {task_id?, bucket?}}, as an agent will be told.
tl::expected<store::SourceCommand, std::string> parse_source_command_body(std::string_view body);
// {server_id, tenant?}
tl::expected<store::Source, std::string> parse_source_body(std::string_view body);

}  // namespace drover::http
