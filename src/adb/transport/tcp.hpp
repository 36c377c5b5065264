// ADB over TCP: a connected socket as a Transport.
//
// Threads: the loop's. Ownership: the caller owns it; callbacks stop when it is destroyed. Failure: a socket that breaks, or that
// no longer answers keepalive (about 40 s), reports on_lost() once.
#pragma once
#include <memory>

#include "adb/transport/transport.hpp"
#include "base/loop_pool.hpp"

namespace drover::adb {

class TcpTransport final : public Transport {
public:
    static constexpr std::size_t kReadBudgetBytes = 256 * 1024;  // per wake-up; then other phones get their turn
    static constexpr int kKeepIdleSeconds = 10, kKeepIntervalSeconds = 10, kKeepProbes = 3;
    static constexpr int kUnackedMaxMs = 40'000;  // TCP_USER_TIMEOUT: data sent that nobody acknowledges

    // Takes over a connected, non-blocking socket. Reading begins with start().
    TcpTransport(Loop& loop, int fd, TransportSink& sink);
    ~TcpTransport() override;

    void start() override;
    void write(std::vector<std::uint8_t>& packets) override;
    std::size_t queued() const override;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace drover::adb
