// The values of drover's own calls as JSON, both ways: `drover serve` writes what its command line reads. The keys are those of
// `--output json`; what only the command line needs is beside them.
//
// Pure; any thread. Failure: reading says "KEY: what is wrong", Code::server_failed; it trusts nothing.
#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "drover/error.hpp"
#include "drover/fleet.hpp"
#include "drover/row.hpp"

namespace drover::http {

// As `--output jsonl`, with `steps` where there are any; and "index", "runs": [[stream, end], ...].
boost::json::object row_object(const Row& row);
Result<Row> read_row(const boost::json::object& object);

// As `drover devices --json`.
Result<PhoneInfo> read_phone(const boost::json::object& object);

// As `drover status --json`; the index is the caller's.
Result<PhoneStatus> read_status(const boost::json::object& object);

// A piece of a phone's output: {"index":0,"stream":1,"base64":"..."}.
struct OutputPiece {
    std::size_t index = 0;
    OutputStream stream = OutputStream::out;
    std::string bytes;
};
boost::json::object output_object(std::size_t index, OutputStream stream, std::string_view bytes);
Result<OutputPiece> read_output(const boost::json::object& object);

}  // namespace drover::http
