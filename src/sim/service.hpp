// What runs behind a stream of a virtual phone, and what it may do with the stream.
//
// One thread: the phone's loop. A Port belongs to its link and dies with the stream: after close() and after
// on_closed() the service must not touch it. The link keeps the service alive until the current call has returned.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"

namespace drover::sim {

class Port {
public:
    // Whether one WRTE may leave now: the client's window is open and the link's own queue is not full.
    virtual bool can_write() const = 0;
    virtual std::size_t write_max() const = 0;  // most bytes of one WRTE
    virtual void write(ByteView bytes) = 0;     // one WRTE; only when can_write(), at most write_max() bytes
    virtual void taken(std::size_t bytes) = 0;  // the client's bytes were consumed: they are acknowledged
    virtual void flush() = 0;                   // what was written leaves in a system call of its own
    virtual void close() = 0;                   // CLSE, right behind the last WRTE

protected:
    ~Port() = default;
};

class Service {
public:
    virtual ~Service() = default;
    virtual void start() = 0;                  // OKAY is on its way
    virtual void on_can_write() = 0;           // can_write() may be true again
    virtual void on_data(ByteView bytes) = 0;  // from the client; valid during the call; to be answered by taken()
    virtual void on_closed() = 0;              // the client closed, or the link is gone: end everything
};

// What the dice said about this command.
struct CommandFaults {
    bool no_exit_code = false;
    std::optional<std::uint8_t> exit_code;  // instead of the true one
    std::uint64_t extra_output_bytes = 0;   // before the true output
};

class Services {
public:
    // Null: this phone has no such service.
    virtual std::shared_ptr<Service> open(std::string_view name, Port& port, const CommandFaults& faults) = 0;

protected:
    ~Services() = default;
};

}  // namespace drover::sim
