// The signals of a subcommand that serves until it is told to stop: SIGHUP reloads, SIGINT and SIGTERM stop `io`. While it stops,
// a second one of these ends the process at once, and SIGHUP means nothing: whoever reloads does not know that it stops.
//
// Threads: the one of `io`; destroyed when it is the only one left. `io` outlives it. Make it before anything starts, so that a
// signal that comes early is not lost.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <stop_token>

namespace drover::cli {

class ServiceSignals {
public:
    explicit ServiceSignals(boost::asio::io_context& io) : io_(io), set_(io, SIGINT, SIGTERM, SIGHUP) {}
    ~ServiceSignals();
    ServiceSignals(const ServiceSignals&) = delete;
    ServiceSignals& operator=(const ServiceSignals&) = delete;

    // Once, first: does what has to be done before io runs, and hears signals meanwhile, on a thread of its own that runs io. SIGINT
    // and SIGTERM stop the token; a SIGHUP is kept for wait().
    void hear_while(const std::function<void(std::stop_token)>& opening);
    bool told_to_stop() const { return stopped_.stop_requested(); }

    // Once. Until io stops, which it does at once when told to while it was opened.
    void wait(std::function<void()> on_reload);
    // It has been told to stop, and begins to.
    void stopping();

private:
    void wait_for_next();
    void on_signal(int signal);

    boost::asio::io_context& io_;
    boost::asio::signal_set set_;
    std::function<void()> on_reload_;
    bool reload_wanted_ = false;
    std::stop_source stopped_;
};

}  // namespace drover::cli
