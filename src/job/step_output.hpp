// The output of one step on one phone, on its way: secrets are masked, then the row keeps a part, `register` keeps a part, and
// the sinks see all of it.
//
// Threads: the phone's loop. Ownership: what it is given outlives it. Memory: the row's share and kRegisterBytesMax a stream.
#pragma once
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "dispatch/capture.hpp"
#include "drover/job.hpp"
#include "job/secrets.hpp"

namespace drover::job {

constexpr std::size_t kRegisterBytesMax = 64 * 1024;  // of each stream of one step

// Adds `from` to the text of `to`.
void append_output(Row& to, const Row& from);

class StepOutput {
public:
    struct Sinks {
        OutputSink* whole = nullptr;  // of the phone
        StepSink* by_step = nullptr;
        std::size_t target = 0;
        std::size_t step = 0;
    };
    // room: what is left for the row, bytes.
    StepOutput(const Secrets& secrets, std::size_t room, bool keep, Sinks sinks);

    OutputSink::Flow add(OutputStream stream, std::string_view bytes, std::function<void()> resume);
    // An attempt has ended: what was held back comes. `again`: what is registered begins anew.
    void end_attempt(bool again);
    // Adds what the row keeps to `total`, with the step's part in `result`, and gives that part. Call once.
    Row finish(Row& total, StepResult& result);
    // stdout and stderr as `register` keeps them.
    std::string kept(OutputStream stream) const;

private:
    OutputSink::Flow pass(OutputStream stream, std::string_view text, std::function<void()> resume);
    static std::size_t index(OutputStream stream) { return stream == OutputStream::out ? 0 : 1; }

    const Secrets& secrets_;
    const bool keep_;
    const Sinks sinks_;
    dispatch::Capture capture_;
    std::uint64_t raw_bytes_ = 0;
    std::array<MaskedStream, 2> masks_;
    std::array<std::string, 2> kept_;
};

}  // namespace drover::job
