// One of the two files that see Beast.
#include "net/http_client.hpp"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

#include "net/http_stream.hpp"

namespace drover::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;

constexpr std::size_t kClientBufferBytesMax = 128 * 1024;  // holds any header block that is allowed
constexpr std::size_t kHeadBytesMax = 64 * 1024;

using Parser = http::response_parser<http::string_body>;

std::string to_text(const Url& url, const Request& request, bool close) {
    auto text = fmt::format("{} {}{} HTTP/1.1\r\nHost: {}\r\n", request.method, url.base_path, request.target,
                            url.host_header());
    if (close) text += "Connection: close\r\n";
    for (const auto& h : request.headers) text += fmt::format("{}: {}\r\n", h.name, h.value);
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
        text += fmt::format("Content-Length: {}\r\n", request.body.size());
    }
    return text + "\r\n" + request.body;
}

// Ways to learn, while an answer is read, that its sender is gone.
bool means_end(const ErrorCode& error) {
    return error == http::error::partial_message || error == http::error::end_of_stream || error == asio::error::eof ||
           error == asio::error::connection_reset || error == asio::ssl::error::stream_truncated;
}

Response response_head(const Parser& parser) {
    Response r;
    const auto& message = parser.get();
    r.status = static_cast<int>(message.result_int());
    for (const auto& field : message)
        r.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    return r;
}

}  // namespace

// One connection: makes it, sends the request, reads the answer in steps, each waited for. Not in the anonymous namespace:
// HttpStream::Impl has a field of it, and in a unity build that class is of a header.
class HttpDialog {
    auto on_read() {
        return [this](const ErrorCode& error, std::size_t) {
            ended_early_ = error && means_end(error);
            end(error, Code::server_failed);
        };
    }

public:
    HttpDialog(Url url, TlsContext tls, const std::atomic<bool>* abandon = nullptr)
        : url_(std::move(url)), tls_(std::move(tls)), abandon_(abandon) {
        parser_.header_limit(kHeadBytesMax);
    }

    Parser& parser() { return parser_; }

    // Connects, sends, and reads the head or all of the answer.
    enum class Part : std::uint8_t { head, all };
    Result<void> begin(std::string text, Part part, Millis limit) {
        out_ = std::move(text);
        part_ = part;
        if (url_.tls) {
            auto made = tls_ ? Result<TlsContext>(tls_) : make_client_tls(std::nullopt);
            if (!made) return tl::unexpected(made.error());
            tls_ = std::move(*made);
            secure_.emplace(socket_, *tls_);
        }
        connect();
        return wait(limit);
    }
    Result<void> read_rest(Millis limit) {
        talk([&](auto& stream) { http::async_read(stream, buffer_, parser_, on_read()); });
        return wait(limit);
    }
    // Not eager: an eager parser goes on reading until the body is whole.
    Result<void> read_some(Millis limit) {
        parser_.eager(false);
        talk([&](auto& stream) { http::async_read_some(stream, buffer_, parser_, on_read()); });
        return wait(limit);
    }
    void cancel() {
        asio::post(io_, [this] {
            ErrorCode ignored;
            tcp_.close(ignored);
            socket_.close(ignored);
            resolver_.cancel();
        });
    }

private:
    template <class F>
    void talk(F&& f) {
        secure_ ? f(*secure_) : f(socket_);
    }

    Result<void> wait(Millis limit) {
        io_.restart();
        turn(limit);
        if (!std::exchange(done_, false)) {
            return fail(Code::server_unreachable,
                        fmt::format("{}: no answer within {}", name(), drover::to_string(limit)));
        }
        if (ended_early_) {
            return fail(failed_,
                        fmt::format("{} ended {}", name(),
                                    parser_.is_header_done() ? "in the middle of its answer" : "before it answered"));
        }
        if (error_) return fail(failed_, fmt::format("{}: {}", name(), error_->message()));
        return {};
    }

    // In short turns when somebody may want to give up.
    void turn(Millis limit) {
        if (!abandon_) return static_cast<void>(io_.run_for(limit));
        constexpr Millis kTurn{100};
        const auto until = std::chrono::steady_clock::now() + limit;
        while (!done_ && !*abandon_ && std::chrono::steady_clock::now() < until) io_.run_for(kTurn);
    }

    std::string name() const { return to_string(url_.address); }

    void end(const ErrorCode& error, Code code) {
        done_ = true;
        if (error) error_ = error, failed_ = code;
    }

    void connect() {
        if (url_.address.is_unix()) {
            socket_.async_connect(asio::local::stream_protocol::endpoint(url_.address.path),
                                  [this](const ErrorCode& e) { on_connected(e); });
            return;
        }
        resolver_.async_resolve(url_.address.host, std::to_string(url_.address.port),
                                [this](const ErrorCode& e, tcp::resolver::results_type found) {
                                    if (e) return end(e, Code::server_unreachable);
                                    asio::async_connect(tcp_, found,
                                                        [this](const ErrorCode& error, const tcp::endpoint&) {
                                                            if (error) return end(error, Code::server_unreachable);
                                                            socket_ = Socket(std::move(tcp_));
                                                            on_connected({});
                                                        });
                                });
    }

    void on_connected(const ErrorCode& e) {
        if (e) return end(e, Code::server_unreachable);
        if (!secure_) return send();
        ErrorCode ignored;
        secure_->set_verify_callback(asio::ssl::host_name_verification(url_.address.host), ignored);
        // SSL_set_tlsext_host_name() without its old-style cast, which g++ counts as ours.
        SSL_ctrl(secure_->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 const_cast<char*>(url_.address.host.c_str()));
        secure_->async_handshake(asio::ssl::stream_base::client, [this](const ErrorCode& error) {
            if (error) return end(error, Code::server_unreachable);
            send();
        });
    }

    void send() {
        talk([this](auto& stream) {
            asio::async_write(stream, asio::buffer(out_), [this, &stream](const ErrorCode& e, std::size_t) {
                // A server that answers early and closes has still said something.
                if (e && e != asio::error::broken_pipe && e != asio::error::connection_reset)
                    return end(e, Code::server_unreachable);
                if (part_ == Part::all) return http::async_read(stream, buffer_, parser_, on_read());
                http::async_read_header(stream, buffer_, parser_, on_read());
            });
        });
    }

    const Url url_;
    TlsContext tls_;
    const std::atomic<bool>* const abandon_;  // becomes true: give up soon
    asio::io_context io_{1};
    tcp::resolver resolver_{io_};
    tcp::socket tcp_{io_};
    Socket socket_{io_};
    std::optional<asio::ssl::stream<Socket&>> secure_;
    boost::beast::flat_buffer buffer_{kClientBufferBytesMax};
    Parser parser_;
    std::string out_;
    Part part_ = Part::all;
    bool done_ = false;
    bool ended_early_ = false;  // the peer did, while it was to answer
    std::optional<ErrorCode> error_;
    Code failed_ = Code::server_failed;
};

Result<Response> exchange(const Url& url, const Request& request, const ClientOptions& options) {
    HttpDialog dialog(url, options.tls, options.abandon);
    dialog.parser().body_limit(options.answer_bytes_max);
    if (auto done = dialog.begin(to_text(url, request, true), HttpDialog::Part::all, options.timeout); !done)
        return tl::unexpected(done.error());
    auto response = response_head(dialog.parser());
    response.body = std::move(dialog.parser().get().body());
    return response;
}

class HttpStream::Impl {
public:
    Impl(Url url, StreamOptions options) : url_(std::move(url)), options_(options), dialog_(url_, options.tls) {
        dialog_.parser().body_limit(boost::none);
    }

    Result<Response> open(const Request& request) {
        if (auto begun = dialog_.begin(to_text(url_, request, false), HttpDialog::Part::head, options_.open); !begun)
            return tl::unexpected(begun.error());
        auto response = response_head(dialog_.parser());
        if (response.status == 200) return response;
        dialog_.parser().body_limit(kAnswerBytesMax);
        if (auto read = dialog_.read_rest(options_.silence); !read) return tl::unexpected(read.error());
        response.body = std::move(dialog_.parser().get().body());
        return response;
    }

    Result<void> read(const std::function<void(std::string_view)>& on_piece) {
        auto& parser = dialog_.parser();
        while (!parser.is_done()) {
            if (auto read = dialog_.read_some(options_.silence); !read) return read;
            auto& body = parser.get().body();
            if (!body.empty()) on_piece(body);
            body.clear();
        }
        return {};
    }
    void cancel() { dialog_.cancel(); }

private:
    const Url url_;
    const StreamOptions options_;
    HttpDialog dialog_;
};

HttpStream::HttpStream(Url url, StreamOptions options)
    : impl_(std::make_unique<Impl>(std::move(url), std::move(options))) {}
HttpStream::~HttpStream() = default;

Result<Response> HttpStream::open(const Request& request) { return impl_->open(request); }
Result<void> HttpStream::read(const std::function<void(std::string_view)>& on_piece) { return impl_->read(on_piece); }
void HttpStream::cancel() { impl_->cancel(); }

}  // namespace drover::net
