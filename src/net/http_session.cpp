// One of the two files that see Beast.
#include "net/http_session.hpp"

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <mutex>
#include <optional>
#include <utility>

#include "base/log.hpp"
#include "net/body_sender.hpp"

namespace drover::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;
using TlsStream = asio::ssl::stream<StreamSocket>;

constexpr std::size_t kSessionBufferBytesMax = 32 * 1024;  // of one connection; holds any header block that is allowed
constexpr std::size_t kIdleReadBytes = 512;                // what an idle connection keeps ready
constexpr std::size_t kLingerDiscardBytesMax = 1 << 20;

// The way from a Reply back to its session, which may be gone by then.
struct Gate {
    std::mutex mutex;
    Loop* loop = nullptr;        // null: the session is gone
    Session* session = nullptr;  // for its loop only
};

Request request_head(const http::request<http::string_body>& message) {
    Request request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    for (const auto& field : message)
        request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    return request;
}

template <class Stream>
class HttpSession final : public Session,
                          private BodySenderOwner,
                          public std::enable_shared_from_this<HttpSession<Stream>> {
public:
    static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

    template <class... Args>
    HttpSession(Sessions& sessions, std::string peer, bool local, TlsContext tls, Args&&... args)
        : sessions_(sessions),
          options_(sessions.options),
          peer_(std::move(peer)),
          local_(local),
          tls_(std::move(tls)),
          stream_(std::forward<Args>(args)...) {
        gate_->loop = &sessions.loop;
        gate_->session = this;
        sessions_.open.insert(this);
        ++sessions_.open_count;
    }
    ~HttpSession() override {
        {
            const std::lock_guard lock(gate_->mutex);
            gate_->loop = nullptr;
            gate_->session = nullptr;
        }
        sessions_.open.erase(this);
        --sessions_.open_count;
        if (sessions_.stopping && sessions_.open.empty() && sessions_.on_empty) sessions_.on_empty();
    }

    void begin() override {
        if constexpr (kTls) {
            arm(options_->request);
            stream_.async_handshake(asio::ssl::stream_base::server,
                                    [self = this->shared_from_this()](const ErrorCode& error) {
                                        if (!error) self->wait_for_request();
                                    });
        } else {
            wait_for_request();
        }
    }

    void finish() override {
        last_ = true;
        if (idle_) cut();
    }

    void cut() override {
        ErrorCode ignored;
        socket().close(ignored);
    }

    void abandon() override {
        cut();
        const auto self = std::move(busy_);
    }

    void answer(Response response) override {
        const auto self = std::move(busy_);
        write(response.status == Response::kLost ? options_->refusal(500) : std::move(response));
    }

private:
    StreamSocket& socket() {
        if constexpr (kTls) {
            return stream_.next_layer();
        } else {
            return stream_;
        }
    }
    void arm(Millis limit) { sessions_.loop.arm_after(deadline_, limit); }

    // Between requests. Only here a connection is idle, and it costs no more than a small buffer.
    void wait_for_request() {
        parser_.reset();
        if (buffer_.size() > 0) return read_header();
        if (last_) return cut();
        idle_ = true;
        arm(options_->idle);
        if (reading_) return;  // since the stream before
        buffer_.shrink_to_fit();
        read_some();
    }

    // One read: of the next request's first bytes, or of what a peer does while a body is streamed to it.
    void read_some() {
        reading_ = true;
        stream_.async_read_some(buffer_.prepare(kIdleReadBytes),
                                [self = this->shared_from_this()](const ErrorCode& error, std::size_t n) {
                                    self->reading_ = false;
                                    self->on_some(error, n);
                                });
    }

    void on_some(const ErrorCode& error, std::size_t n) {
        const bool was_idle = std::exchange(idle_, false);
        if (error) return body_.active() ? on_body_failed(false) : void();
        if (closing_) return discard(n);
        buffer_.commit(n);
        // A peer that sends its next request early is not watched any more: it is there.
        if (was_idle) read_header();
    }

    void read_header() {
        arm(options_->request);
        parser_.emplace();
        parser_->header_limit(kHeaderBytesMax);
        parser_->body_limit(kBodyBytesLimit);
        http::async_read_header(stream_, buffer_, *parser_,
                                [self = this->shared_from_this()](const ErrorCode& error, std::size_t) {
                                    if (error) return self->on_read_error(error);
                                    self->continue_to_body();
                                });
    }

    void take_head() {
        request_ = request_head(parser_->get());
        request_.peer = peer_;
        request_.local = local_;
        request_.encrypted = kTls;
    }

    void continue_to_body() {
        const auto& head = parser_->get();
        take_head();
        const auto limit = options_->body_bytes_max ? options_->body_bytes_max(request_) : kBodyBytesMax;
        if (const auto length = parser_->content_length(); length && *length > limit) return on_request(true);
        parser_->body_limit(limit);
        const auto expect = head[http::field::expect];
        if (head.version() < 11 || parser_->is_done() ||
            !same_header_name({expect.data(), expect.size()}, "100-continue"))
            return read_body();
        out_ = "HTTP/1.1 100 Continue\r\n\r\n";
        asio::async_write(stream_, asio::buffer(out_),
                          [self = this->shared_from_this()](const ErrorCode& error, std::size_t) {
                              if (!error) self->read_body();
                          });
    }

    void read_body() {
        if (parser_->is_done()) return on_request(false);
        http::async_read(stream_, buffer_, *parser_,
                         [self = this->shared_from_this()](const ErrorCode& error, std::size_t) {
                             if (error) return self->on_read_error(error);
                             self->on_request(false);
                         });
    }

    void on_read_error(const ErrorCode& error) {
        if (error == http::error::body_limit) return on_request(true);
        // Errors of other categories are the connection's: nobody is there to be answered.
        if (error == http::error::end_of_stream || error == http::error::partial_message) return cut();
        if (error.category() != make_error_code(http::error::end_of_stream).category()) return cut();
        const bool too_large = error == http::error::header_limit || error == http::error::buffer_overflow;
        last_ = true;
        write(options_->refusal(too_large ? 431 : 400));
    }

    void on_request(bool too_large) {
        deadline_.cancel();
        auto& message = parser_->get();
        form_.http_1_0 = message.version() < 11;
        form_.head = message.method() == http::verb::head;
        if (!message.keep_alive() || too_large) last_ = true;
        if (request_.method.empty()) take_head();  // its length was refused before anybody looked
        auto request = std::exchange(request_, {});
        request.body_too_large = too_large;
        if (!too_large) request.body = std::move(message.body());
        parser_.reset();
        busy_ = this->shared_from_this();
        Reply reply([gate = gate_](Response response) {
            auto stream = response.stream;
            {
                const std::lock_guard lock(gate->mutex);
                if (gate->loop) {
                    return gate->loop->post([gate, r = std::move(response)]() mutable {
                        if (gate->session) return gate->session->answer(std::move(r));
                        if (r.stream) r.stream->detach();
                    });
                }
            }
            if (stream) stream->detach();
        });
        options_->handler(std::move(request), std::move(reply));
    }

    void write(Response response) {
        if (response.close || sessions_.stopping) last_ = true;
        if (response.stream && form_.http_1_0) last_ = true;
        form_.keep_alive = !last_;
        out_ = to_wire(response, form_);
        if (response.stream) return stream_body(std::exchange(out_, {}), std::move(response.stream));
        arm(options_->write);
        asio::async_write(stream_, asio::buffer(out_),
                          [self = this->shared_from_this()](const ErrorCode& error, std::size_t) {
                              std::string().swap(self->out_);
                              if (!error) self->answered();
                          });
    }
    void answered() { last_ ? close_gently() : wait_for_request(); }

    void stream_body(std::string head, std::shared_ptr<BodyStream> body) {
        busy_ = this->shared_from_this();
        body->attach([gate = gate_] {
            const std::lock_guard lock(gate->mutex);
            if (!gate->loop) return;
            gate->loop->post([gate] {
                if (gate->session) gate->session->pump();
            });
        });
        if (buffer_.size() == 0) read_some();
        body_.begin(std::move(head), std::move(body), form_);
    }
    void pump() override { body_.pump(); }
    std::shared_ptr<void> keep_alive() override { return this->shared_from_this(); }
    void arm_write() override { arm(options_->write); }
    void disarm_write() override { deadline_.cancel(); }
    void on_body_sent() override {
        const auto self = std::move(busy_);
        answered();
    }
    void on_body_failed(bool too_slow) override {
        if (too_slow) log::warn("http: {} does not read what it asked for, and is cut", peer_);
        const auto self = std::move(busy_);
        body_.leave();
        cut();
    }

    // A close with unread input would reset the connection and could take the answer from the peer.
    void close_gently() {
        arm(options_->linger);
        if constexpr (kTls) {
            stream_.async_shutdown([self = this->shared_from_this()](const ErrorCode&) { self->cut(); });
        } else {
            ErrorCode ignored;
            stream_.shutdown(StreamSocket::shutdown_send, ignored);
            closing_ = true;
            if (!reading_) discard(0);
        }
    }
    void discard(std::size_t discarded) {
        if (discarded > kLingerDiscardBytesMax) return cut();
        buffer_.clear();
        stream_.async_read_some(buffer_.prepare(kIdleReadBytes),
                                [self = this->shared_from_this(), discarded](const ErrorCode& error, std::size_t n) {
                                    if (!error) self->discard(discarded + n);
                                });
    }

    Sessions& sessions_;
    const std::shared_ptr<const SessionOptions> options_;
    const std::string peer_;
    const bool local_;
    const TlsContext tls_;
    std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
    Stream stream_;
    BodySender<Stream> body_{stream_, sessions_.loop, options_->heartbeat, *this};
    boost::beast::flat_buffer buffer_{kSessionBufferBytesMax};
    std::optional<http::request_parser<http::string_body>> parser_;
    std::string out_;
    WireForm form_;
    Request request_;                // its head, while the body is read
    std::shared_ptr<Session> busy_;  // itself, while the handler has the request or a body is streamed
    bool idle_ = false;
    bool reading_ = false;  // read_some() is under way
    bool last_ = false;     // the connection ends with the answer under way
    bool closing_ = false;
    Timer deadline_ = Timer::calls<&HttpSession::cut>(*this);
};

}  // namespace

void start_session(Sessions& sessions, Accepted accepted) {
    if (accepted.tls) {
        auto& context = *accepted.tls;
        std::make_shared<HttpSession<TlsStream>>(sessions, std::move(accepted.peer), accepted.local, accepted.tls,
                                                 std::move(accepted.socket), context)
            ->begin();
    } else {
        std::make_shared<HttpSession<StreamSocket>>(sessions, std::move(accepted.peer), accepted.local, nullptr,
                                                    std::move(accepted.socket))
            ->begin();
    }
}

}  // namespace drover::net
