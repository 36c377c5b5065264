#include "job/host_runner.hpp"

#include <deque>
#include <set>
#include <thread>

#include "base/quiet_thread.hpp"
#include "base/watchdog.hpp"
#include "job/host_process.hpp"

namespace drover::job {
namespace {

Error ending_error() { return Error(Code::host_program, "drover is ending"); }

}  // namespace

struct HostRunner::Impl {
    boost::asio::io_context io{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard{io.get_executor()};
    // The runner's thread only.
    std::set<std::shared_ptr<HostProcess>> running;
    std::deque<std::shared_ptr<HostProcess>> queued;
    bool ending = false;
    std::unique_ptr<Watchdog> watchdog;  // from the first program on
    std::thread thread;

    Result<void> watch() {
        if (watchdog) return {};
        auto started = Watchdog::start();
        if (!started) return fail(Code::host_program, started.error().message);
        watchdog = *std::move(started);
        return {};
    }

    void begin_queued() {
        while (running.size() < kProgramsMax && !queued.empty()) {
            auto next = std::move(queued.front());
            queued.pop_front();
            if (const auto watched = watch(); !watched) {
                next->refuse(watched.error());
                continue;
            }
            running.insert(next);
            next->begin(*watchdog, [this](const std::shared_ptr<HostProcess>& done) {
                running.erase(done);
                if (ending && running.empty()) guard.reset();
                begin_queued();
            });
        }
    }
};

HostRunner::HostRunner() : impl_(std::make_unique<Impl>()) {
    impl_->thread = quiet_thread([impl = impl_.get()] { impl->io.run(); });
}

HostRunner::~HostRunner() {
    boost::asio::post(impl_->io, [impl = impl_.get()] {
        impl->ending = true;
        for (const auto& process : std::exchange(impl->queued, {})) process->refuse(ending_error());
        const auto all = impl->running;
        for (const auto& process : all) process->terminate();
        if (impl->running.empty()) impl->guard.reset();
    });
    impl_->thread.join();
}

std::shared_ptr<HostProgram> HostRunner::start(HostCommand command, std::shared_ptr<HostListener> listener) {
    auto process = std::make_shared<HostProcess>(impl_->io, std::move(command), std::move(listener));
    boost::asio::post(impl_->io, [impl = impl_.get(), process] {
        if (impl->ending) return process->refuse(ending_error());
        impl->queued.push_back(process);
        impl->begin_queued();
    });
    return process;
}

}  // namespace drover::job
