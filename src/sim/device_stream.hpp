// One stream of a DeviceLink: the port of its service. Private to the device_link files.
#pragma once
#include "sim/device_link.hpp"

namespace drover::sim {

class DeviceLink::Stream final : public Port {
public:
    Stream(DeviceLink& link, std::uint32_t mine, std::uint32_t theirs, std::int64_t window)
        : mine_(mine), theirs_(theirs), link_(&link), window_(window) {}

    std::shared_ptr<Service> service;  // null: a stream that answers nothing

    std::uint32_t mine() const { return mine_; }
    std::uint32_t theirs() const { return theirs_; }
    bool closed() const { return link_ == nullptr; }
    void detach() { link_ = nullptr; }

    bool can_write() const override;
    std::size_t write_max() const override;
    void write(ByteView bytes) override;
    void taken(std::size_t bytes) override;
    void flush() override;
    void close() override;

    void on_okay(ByteView payload);
    // Bytes the service has not taken; false: the client sends past every window.
    bool note_received(std::size_t bytes);

private:
    const std::uint32_t mine_;
    const std::uint32_t theirs_;
    DeviceLink* link_;
    std::int64_t window_;  // delayed_ack: bytes that may still be sent; may fall below 0 by one payload
    std::size_t untaken_ = 0;
    bool in_flight_ = false;  // no delayed_ack: a WRTE is not yet acknowledged
};

}  // namespace drover::sim
