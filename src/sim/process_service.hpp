// A command in a real shell behind a stream. Pipes are read only as fast as the client takes the output, so the command
// itself waits for a slow client; when the stream goes, the command's whole process group goes. Only a raw one (exec:) gets
// what was sent to it, and then kLingerMax to end by itself.
// One thread: the phone's loop.
#pragma once
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/loop_pool.hpp"
#include "sim/service.hpp"
#include "sim/shell_output.hpp"
#include "sim/spawner.hpp"

namespace drover::sim {

class ProcessService final : public Service, public std::enable_shared_from_this<ProcessService> {
public:
    // on_home: told the phone's directory when the command has started.
    static constexpr std::chrono::seconds kLingerMax{10};
    using OnHome = std::function<void(const std::shared_ptr<Home>&)>;

    ProcessService(Loop& loop, std::shared_ptr<Spawner> spawner, Port& port, SpawnRequest request,
                   ShellOutput::Options options, const CommandFaults& faults, bool raw, OnHome on_home);
    ~ProcessService() override;

    void start() override;
    void on_can_write() override;
    void on_data(ByteView bytes) override;
    void on_closed() override;

private:
    struct Source {
        std::optional<boost::asio::posix::stream_descriptor> fd;
        ShellId id = ShellId::out;
        bool waiting = false;
    };

    void on_spawned(Result<Child> child);
    void refuse(const Error& error);
    void wait_readable(Source& source);
    void read_some(Source& source);
    void wait_exit();
    void on_exit();
    void pump();
    void parse_input(ByteView bytes);
    void write_input();
    void resize(std::string_view text);
    void end();

    Loop& loop_;
    std::shared_ptr<Spawner> spawner_;
    Port* port_;  // null once the stream is gone
    SpawnRequest request_;
    ShellOutput output_;
    OnHome on_home_;
    bool v2_;
    const bool raw_;
    bool lingers_ = false;  // the stream is gone, and the command may go on
    Timer linger_ = Timer::calls<&ProcessService::end>(*this);
    pid_t pid_ = -1;
    Source out_;
    Source err_;
    std::optional<boost::asio::posix::stream_descriptor> pidfd_;
    std::optional<boost::asio::posix::stream_descriptor> in_;
    std::optional<int> exit_code_;
    // Client to stdin.
    std::vector<std::uint8_t> input_;    // decoded, not yet written
    std::vector<std::uint8_t> framing_;  // the start of a shell packet's header
    std::uint32_t packet_left_ = 0;
    ShellId packet_id_ = ShellId::in;
    std::string size_;  // a window size, so far
    std::string early_size_;
    std::size_t unacknowledged_ = 0;
    bool input_ended_ = false;
    bool input_waiting_ = false;
};

}  // namespace drover::sim
