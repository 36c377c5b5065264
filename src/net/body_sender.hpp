// Sends a BodyStream over one connection: piece by piece, framed as chunks, with a heartbeat where nothing is said.
// Private to http_session.cpp. Threads: the connection's loop. Ownership: part of a session, which keeps itself alive while
// active(). Failure: the owner is told once how it ended; a peer that takes nothing for its write deadline is cut by the owner.
#pragma once
#include <boost/asio/write.hpp>
#include <memory>
#include <string>
#include <utility>

#include "base/duration.hpp"
#include "base/loop_pool.hpp"
#include "net/body_stream.hpp"
#include "net/http_message.hpp"

namespace drover::net {

class BodySenderOwner {
public:
    virtual std::shared_ptr<void> keep_alive() = 0;
    virtual void arm_write() = 0;  // a write begins; disarm_write(): it has ended
    virtual void disarm_write() = 0;
    virtual void on_body_sent() = 0;
    virtual void on_body_failed(bool too_slow) = 0;

protected:
    ~BodySenderOwner() = default;
};

template <class Stream>
class BodySender {
public:
    BodySender(Stream& stream, Loop& loop, Millis heartbeat, BodySenderOwner& owner)
        : stream_(stream), loop_(loop), heartbeat_every_(heartbeat), owner_(owner) {}
    ~BodySender() { leave(); }
    BodySender(const BodySender&) = delete;
    BodySender& operator=(const BodySender&) = delete;

    bool active() const { return body_ != nullptr; }

    void begin(std::string head, std::shared_ptr<BodyStream> body, const WireForm& form) {
        out_ = std::move(head);
        form_ = form;
        body_ = std::move(body);
        if (form_.head) body_->end();
        pump();
    }

    // Sends the next piece, if none is on its way.
    void pump() {
        if (!body_ || writing_) return;
        const auto piece = body_->take();
        if (piece.cut) return owner_.on_body_failed(true);
        if (!piece.bytes.empty() && !form_.head) out_ += frame(piece.bytes);
        if (piece.ended && !form_.head) out_ += frame("");
        if (!out_.empty() || piece.ended) return send(piece.ended);
        if (!body_->heartbeat().empty() && !heartbeat_.armed()) loop_.arm_after(heartbeat_, heartbeat_every_);
    }

    // Whoever writes the body is told that nobody reads it any more.
    void leave() {
        heartbeat_.cancel();
        if (auto body = std::exchange(body_, nullptr)) body->detach();
    }

private:
    std::string frame(std::string_view bytes) const { return form_.http_1_0 ? std::string(bytes) : to_chunk(bytes); }

    void send(bool ended) {
        writing_ = true;
        heartbeat_.cancel();
        owner_.arm_write();
        boost::asio::async_write(
            stream_, boost::asio::buffer(out_),
            [this, alive = owner_.keep_alive(), ended](const boost::system::error_code& error, std::size_t) {
                writing_ = false;
                std::string().swap(out_);
                if (!body_) return;  // left meanwhile
                if (error) return owner_.on_body_failed(false);
                owner_.disarm_write();
                if (!ended) return pump();
                leave();
                owner_.on_body_sent();
            });
    }

    void beat() {
        if (!body_ || writing_) return;
        out_ += frame(body_->heartbeat());
        send(false);
    }

    Stream& stream_;
    Loop& loop_;
    const Millis heartbeat_every_;
    BodySenderOwner& owner_;
    std::shared_ptr<BodyStream> body_;
    WireForm form_;
    std::string out_;
    bool writing_ = false;
    Timer heartbeat_ = Timer::calls<&BodySender::beat>(*this);
};

}  // namespace drover::net
