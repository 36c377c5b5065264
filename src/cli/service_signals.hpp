// The signals of a subcommand that serves until it is told to stop: SIGHUP reloads, any other stops `io`. The thread of `io`.
// The set and `io` outlive the wait.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <functional>
#include <utility>

namespace drover::cli {

inline void wait_for_signals(boost::asio::signal_set& signals, boost::asio::io_context& io,
                             std::function<void()> on_reload) {
    signals.async_wait([&, on_reload = std::move(on_reload)](const boost::system::error_code& error, int signal) {
        if (error) return;
        if (signal != SIGHUP) return io.stop();
        on_reload();
        wait_for_signals(signals, io, on_reload);
    });
}

}  // namespace drover::cli
