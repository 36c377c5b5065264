// One program of a HostRunner. Private to it. Threads: the runner's, terminate() from any. Ownership: shared by the runner and
// whoever started it.
#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "base/watchdog.hpp"
#include "job/host_runner.hpp"

namespace drover::job {

class HostProcess final : public HostProgram, public std::enable_shared_from_this<HostProcess> {
public:
    HostProcess(boost::asio::io_context& io, HostCommand command, std::shared_ptr<HostListener> listener);
    ~HostProcess() override;

    using Done = std::function<void(const std::shared_ptr<HostProcess>&)>;
    void begin(const Watchdog& watchdog, Done done);  // the watchdog outlives it
    void refuse(const Error& why);                    // it was never begun
    void terminate() override;

private:
    struct State;  // pipes, process, timers: Boost.Process stays in one file
    Result<void> spawn();
    void read(std::size_t stream);
    void on_exit();
    void end_if_over();
    void end(const Result<int>& exit);

    boost::asio::io_context& io_;
    const HostCommand command_;
    const std::shared_ptr<HostListener> listener_;
    const Watchdog* watchdog_ = nullptr;
    Done done_;
    std::unique_ptr<State> state_;
    bool ended_ = false;
    bool terminate_asked_ = false;
};

}  // namespace drover::job
