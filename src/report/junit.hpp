// Rows as a JUnit file, for CI servers: one test case a phone, or one a step of a job on a phone. Pure; any thread.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "drover/row.hpp"
#include "report/summary.hpp"

namespace drover::report {

// What a <testsuite> is: the whole call with a case for each phone; a phone with a case for each of its steps; a step with a case
// for each phone. Tests that a step ran are cases beside it.
enum class JunitSuite : std::uint8_t { call, phone, step };

// A command that failed is a <failure>; a phone, link or host that failed is an <error>. `name` is the job's, or the command.
// Rows without steps always make one suite of the call. artifacts: the directory of the steps' files, from where the CI server
// looks; each file is a line [[ATTACHMENT|artifacts/FILE]] of its case's system-out, as Jenkins and GitLab read it. Such a line
// in what a phone printed is made harmless: it could name any file of the server.
std::string document_junit(std::string_view name, const Summary& summary, std::span<const Row> rows,
                           JunitSuite suite = JunitSuite::call, std::string_view artifacts = {});

// Text for XML 1.0: markup escaped; characters XML cannot carry (controls, U+FFFE, U+FFFF) become U+FFFD. `utf8` must be valid.
std::string xml_text(std::string_view utf8);

}  // namespace drover::report
