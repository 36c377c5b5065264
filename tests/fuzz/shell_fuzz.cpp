// A command's output, framed (shell,v2) and bare (the old shell with its marker): however it is split, the same output and
// the same exit code; and not a byte of the old shell's output is lost or doubled.
#include "adb/shell.hpp"
#include "base/assert.hpp"

namespace {

using namespace drover;
using namespace drover::adb;

struct Sink final : ShellOutputSink {
    std::string out, err;
    void on_shell_bytes(OutputStream stream, ByteView bytes) override {
        DROVER_ASSERT(!bytes.empty());
        (stream == OutputStream::out ? out : err) += as_text(bytes);
    }
};

template <class F>
void in_pieces(ByteView bytes, std::size_t step, F f) {
    for (std::size_t at = 0; at < bytes.size(); at += step) f(bytes.subspan(at, std::min(step, bytes.size() - at)));
}

void framed(ByteView bytes, std::size_t step) {
    Sink whole, pieces;
    ShellV2Parser one, many;
    const bool first = one.feed(bytes, whole).has_value();
    bool second = true;
    in_pieces(bytes, step, [&](ByteView piece) { second = second && many.feed(piece, pieces).has_value(); });
    DROVER_ASSERT(first == second && one.exit_code() == many.exit_code());
    DROVER_ASSERT(whole.out == pieces.out && whole.err == pieces.err);
    DROVER_ASSERT(whole.out.size() + whole.err.size() <= bytes.size());
}

void marked(ByteView bytes, std::size_t step) {
    const std::string marker = "MARKMARKMARKMARKmarkmarkmarkmark";
    Sink whole, pieces;
    MarkerTail one(marker), many(marker);
    one.feed(bytes, whole);
    const auto first = one.finish(whole);
    in_pieces(bytes, step, [&](ByteView piece) { many.feed(piece, pieces); });
    const auto second = many.finish(pieces);
    DROVER_ASSERT(first == second && whole.out == pieces.out && whole.err.empty());
    if (first) {
        DROVER_ASSERT(whole.out.size() + marker.size() + 2 <= bytes.size());
    } else {
        DROVER_ASSERT(whole.out == as_text(bytes));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t step = std::size_t{1} + data[0];
    const ByteView bytes(data + 1, size - 1);
    framed(bytes, step);
    marked(bytes, step);
    return 0;
}
