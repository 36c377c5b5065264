// What a phone's program prints, into one file of this host: a picture, a log. Threads, failure: as StreamTask.
#pragma once
#include "transfer/file_sink.hpp"
#include "transfer/stream_task.hpp"

namespace drover::transfer {

class CaptureTask final : public StreamTask {
public:
    // png: it must be one, whole; what else came instead is told. log: any text, and a part of it is better than nothing.
    // growing_log: as log, and there as it comes.
    enum class What : std::uint8_t { png, log, growing_log };
    CaptureTask(What what, std::filesystem::path place)
        : what_(what),
          file_(std::move(place), what == What::growing_log ? FileSink::Way::in_place : FileSink::Way::aside) {}

    Result<void> feed(ByteView bytes) override;
    Result<void> produce(std::size_t, Bytes&) override { return {}; }
    bool done() const override { return false; }  // when the program ends, or the time is over
    Result<void> on_closed() override { return {}; }
    Result<std::string> finish() override;
    void discard() override;

private:
    static constexpr std::size_t kHeadBytes = 8, kTailBytes = 12;
    static constexpr std::size_t kToldBytes = 200;  // of what came instead of a picture

    const What what_;
    FileSink file_;
    std::string head_;  // the first kToldBytes
    std::string tail_;  // the last kTailBytes
};

}  // namespace drover::transfer
