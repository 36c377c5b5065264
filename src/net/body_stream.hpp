// A response body that is written piece by piece while its connection stays open: rows as they end, changes as they come.
//
// Threads: any on the writing side, and no call waits. The hooks come on the connection's loop, or on the thread that writes;
// they must not block and must not write. Ownership: writer and connection share it; hooks and what they capture live until
// it does. Failure: a peer that has gone, or that reads too slowly for kQueuedBytesMax, makes the stream gone: on_gone is
// called once, and what is written after that goes nowhere.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace drover::net {

class BodyStream {
public:
    static constexpr std::size_t kQueuedBytesMax =
        64 * 1024 * 1024;                                      // written and not yet sent; past it the peer is cut
    static constexpr std::size_t kHighBytes = 1024 * 1024;     // a writer that can wait shall wait from here on
    static constexpr std::size_t kLowBytes = 256 * 1024;       // and may go on below this
    static constexpr std::size_t kPieceBytesMax = 256 * 1024;  // of one write to the socket

    struct Hooks {
        std::function<void()> on_gone;
        std::function<void()> on_drained;  // after a write() that said `full`
    };
    // `heartbeat` is sent when nothing else was for a while, so that each side sees the other's end. Empty: nothing is sent.
    BodyStream(Hooks hooks, std::string heartbeat) : hooks_(std::move(hooks)), heartbeat_(std::move(heartbeat)) {}

    enum class Written { taken, full, gone };
    Written write(std::string_view bytes);
    void end();  // after what was written the body is complete

    // The connection's side, on its loop.
    struct Piece {
        std::string bytes;
        bool ended = false;  // these were the last
        bool cut = false;    // the peer read too slowly
    };
    void attach(std::function<void()> wake);  // `wake` from any thread, when there is something to take
    Piece take();
    void detach();  // the peer has gone, or has everything
    const std::string& heartbeat() const { return heartbeat_; }

private:
    template <class F>
    void change(F&& f);

    const Hooks hooks_;
    const std::string heartbeat_;
    mutable std::mutex mutex_;
    std::string queued_;
    std::size_t sent_ = 0;  // bytes at the front of queued_ that were taken
    std::function<void()> wake_;
    bool woken_ = false;  // since the last take()
    bool full_ = false;   // the writer waits for on_drained
    bool ended_ = false;
    bool cut_ = false;
    bool gone_ = false;
    bool detached_ = false;
};

}  // namespace drover::net
