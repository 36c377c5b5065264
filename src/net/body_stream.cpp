#include "net/body_stream.hpp"

#include <algorithm>
#include <utility>

namespace drover::net {

// Wakes the connection, outside the lock: it may be on another thread, and wants to take at once.
template <class F>
void BodyStream::change(F&& f) {
    std::function<void()> wake;
    {
        const std::lock_guard lock(mutex_);
        f();
        if (wake_ && !std::exchange(woken_, true)) wake = wake_;
    }
    if (wake) wake();
}

BodyStream::Written BodyStream::write(std::string_view bytes) {
    auto written = Written::gone;
    bool told = false;
    change([&] {
        if (gone_ || ended_) return;
        if (queued_.size() - sent_ + bytes.size() > kQueuedBytesMax) {
            gone_ = cut_ = told = true;
            std::string().swap(queued_);
            sent_ = 0;
            return;
        }
        queued_ += bytes;
        full_ = full_ || queued_.size() - sent_ >= kHighBytes;
        written = full_ ? Written::full : Written::taken;
    });
    if (told && hooks_.on_gone) hooks_.on_gone();
    return written;
}

void BodyStream::end() {
    change([&] { ended_ = true; });
}

void BodyStream::attach(std::function<void()> wake) {
    change([&] { wake_ = std::move(wake); });
}

BodyStream::Piece BodyStream::take() {
    Piece piece;
    bool drained = false;
    {
        const std::lock_guard lock(mutex_);
        woken_ = false;
        const auto n = std::min(kPieceBytesMax, queued_.size() - sent_);
        piece.bytes = queued_.substr(sent_, n);
        sent_ += n;
        if (sent_ == queued_.size()) {
            std::string().swap(queued_);
            sent_ = 0;
        } else if (sent_ >= kHighBytes) {
            queued_.erase(0, sent_);
            sent_ = 0;
        }
        piece.ended = ended_ && queued_.empty();
        piece.cut = cut_;
        drained = full_ && queued_.size() - sent_ < kLowBytes;
        if (drained) full_ = false;
    }
    if (drained && hooks_.on_drained) hooks_.on_drained();
    return piece;
}

void BodyStream::detach() {
    bool told = false;
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(detached_, true)) return;
        wake_ = nullptr;
        told = !gone_ && !(ended_ && queued_.empty());
        gone_ = true;
        std::string().swap(queued_);
        sent_ = 0;
    }
    if (told && hooks_.on_gone) hooks_.on_gone();
}

}  // namespace drover::net
