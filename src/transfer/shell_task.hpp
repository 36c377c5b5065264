// A short shell command as one leg of an operation: its output is kept for the row, its exit code decides.
// Threads, failure: as StreamTask; command_failed with what the command said. Memory: kOutputBytesMax.
#pragma once
#include <functional>
#include <optional>

#include "adb/shell.hpp"
#include "transfer/script.hpp"

namespace drover::transfer {

class ShellTask final : public StreamTask, private adb::ShellOutputSink {
public:
    static constexpr std::size_t kOutputBytesMax = 16 * 1024;

    // What becomes of the output, or of what was wrong, when the command has ended; as finish().
    using Read = std::function<Result<std::string>(Result<std::string> output)>;

    // Over whichever shell service the phone has.
    static Result<Leg> leg(const adb::Peer& peer, std::string_view command, Read read = {});

    Result<void> feed(ByteView bytes) override;
    Result<void> produce(std::size_t, Bytes&) override { return {}; }
    bool done() const override { return exit_.has_value(); }
    Result<void> on_closed() override;
    Result<std::string> finish() override { return read_ ? read_(output()) : output(); }

private:
    void on_shell_bytes(OutputStream stream, ByteView bytes) override;
    Result<std::string> output() const;

    Read read_;
    adb::ShellV2Parser v2_;
    std::optional<adb::MarkerTail> v1_;
    std::string output_;
    std::optional<int> exit_;
};

}  // namespace drover::transfer
