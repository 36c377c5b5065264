// vm_redir_phones DIR PORT...: USB phones for QEMU's usb-redir device, one on DIR/r0, DIR/r1, ... for each port of a virtual phone,
// with the serials that `drover sim` gives them. DIR/control takes a guest's lines: "unplug N" (when the phone next says
// something on a stream) and "plug N", and answers each with "ok". On SIGTERM it prints as JSON what the phones saw.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <cstdio>
#include <istream>
#include <memory>
#include <string>
#include <vector>

#include "vm/redir_phone.hpp"

namespace drover::test {
namespace {

using boost::asio::local::stream_protocol;
using boost::system::error_code;
using Phones = std::vector<std::unique_ptr<RedirPhone>>;

// The guest's serial line, through QEMU.
class Control {
public:
    Control(boost::asio::io_context& io, const std::string& path, Phones& phones)
        : acceptor_(io, stream_protocol::endpoint(path)), guest_(io), phones_(phones) {
        acceptor_.async_accept(guest_, [this](const error_code& ec) {
            if (!ec) next();
        });
    }

private:
    void next() {
        boost::asio::async_read_until(guest_, said_, '\n', [this](const error_code& ec, std::size_t) {
            if (ec) return;
            std::string verb;
            std::size_t number = 0;
            std::istream(&said_) >> verb >> number;
            const auto ok = [this] {
                error_code ignored;
                boost::asio::write(guest_, boost::asio::buffer("ok\n", 3), ignored);
            };
            if (number >= phones_.size()) {
                fmt::print(stderr, "there is no phone {}\n", number);
            } else if (verb == "unplug") {
                phones_[number]->unplug_at_output(ok);
            } else if (verb == "plug") {
                phones_[number]->plug();
                ok();
            }
            next();
        });
    }

    stream_protocol::acceptor acceptor_;
    stream_protocol::socket guest_;
    boost::asio::streambuf said_;
    Phones& phones_;
};

}  // namespace
}  // namespace drover::test

int main(int argc, char** argv) {
    using namespace drover::test;
    if (argc < 3) return 2;
    const std::string folder = argv[1];
    boost::asio::io_context io{1};
    boost::asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&io](const error_code&, int) { io.stop(); });
    RedirNotes notes;
    Phones phones;
    for (int i = 2; i < argc; ++i) {
        const auto number = static_cast<std::size_t>(i - 2);
        phones.push_back(std::make_unique<RedirPhone>(io, fmt::format("{}/r{}", folder, number),
                                                      fmt::format("vphone-{:04}", number + 1),
                                                      static_cast<std::uint16_t>(std::stoi(argv[i])), notes));
    }
    Control control(io, folder + "/control", phones);
    fmt::print("ready\n");
    std::fflush(stdout);
    io.run();
    std::string violations;
    for (const auto& text : notes.violations)
        violations += fmt::format("{}\"{}\"", violations.empty() ? "" : ",", text);
    fmt::print("{{\"violations\":[{}],\"sent\":[{}],\"received\":[{}]}}\n", violations, fmt::join(notes.sent, ","),
               fmt::join(notes.received, ","));
    return 0;
}
