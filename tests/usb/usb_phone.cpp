#include "usb/usb_phone.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>

#include "adb/packet.hpp"

namespace drover::test {

using boost::asio::ip::tcp;
using boost::system::error_code;

UsbPhone::UsbPhone(Loop& loop, std::uint16_t port, UsbPhoneOptions options)
    : loop_(loop),
      options_(std::move(options)),
      socket_(loop.io()),
      from_host_(
          options_.node.packet_bytes,
          [this](ByteView packet, std::size_t payload_bytes) {
              received_.push_back(payload_bytes);
              to_phone(packet);
          },
          [this](std::string why) { stumble(std::move(why)); }),
      from_phone_([this](ByteView packet) { say_packet(packet); }),
      buffer_(64 * 1024),
      node_(
          options_.node,
          [this](std::vector<std::uint8_t> transfer) {
              loop_.post([weak = weak_from_this(), transfer = std::move(transfer)] {
                  const auto self = weak.lock();
                  if (self && !self->deaf_) self->from_host_.on_transfer(transfer);
              });
          },
          [this] {
              loop_.post([weak = weak_from_this()] {
                  if (const auto self = weak.lock()) self->deaf_ = false;
              });
          }) {
    socket_.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
    socket_.set_option(tcp::no_delay(true));
}

void UsbPhone::start() {
    if (!options_.junk.empty()) node_.say(as_bytes(options_.junk));
    read_phone();
}

void UsbPhone::stop() {
    error_code ignored;
    socket_.close(ignored);
}

void UsbPhone::to_phone(ByteView packet) {
    // Blocking is fine here: the virtual phone always reads.
    error_code ignored;
    boost::asio::write(socket_, boost::asio::buffer(packet.data(), packet.size()), ignored);
}

// adbd closes its endpoints and opens them again: the host's transfers fail, and it begins anew.
void UsbPhone::stumble(std::string why) {
    violations_.push_back(std::move(why));
    deaf_ = true;
    node_.fail_read(-EPROTO);
}

void UsbPhone::read_phone() {
    socket_.async_read_some(boost::asio::buffer(buffer_),
                            [weak = weak_from_this()](const error_code& ec, std::size_t n) {
                                const auto self = weak.lock();
                                if (!self || ec) return;
                                self->from_phone_.feed(ByteView(self->buffer_).first(n));
                                self->read_phone();
                            });
}

bool UsbPhone::wait_for(std::string_view text, std::chrono::milliseconds limit) {
    std::unique_lock lock(said_mutex_);
    return said_more_.wait_for(lock, limit, [&] { return said_.find(text) != std::string::npos; });
}

void UsbPhone::say_packet(ByteView packet) {
    const ByteView payload = packet.subspan(adb::kHeaderBytes);
    sent_.push_back(payload.size());
    {
        const std::lock_guard lock(said_mutex_);
        said_ += as_text(payload);
        if (said_.size() > kSaidBytesMax) said_.erase(0, said_.size() - kSaidBytesMax);
        said_more_.notify_all();
    }
    if (options_.glues) return node_.say(packet);
    node_.say(packet.first(adb::kHeaderBytes));
    if (payload.empty()) return;
    const std::size_t cut = options_.splits ? payload.size() / 3 : 0;
    if (cut > 0) node_.say(payload.first(cut));
    node_.say(payload.subspan(cut));
}

}  // namespace drover::test
