#include "vm/redir_phone.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "adb/packet.hpp"

namespace drover::test {

using boost::asio::ip::tcp;
using boost::system::error_code;

RedirPhone::RedirPhone(boost::asio::io_context& io, const std::string& socket_path, std::string serial,
                       std::uint16_t port, RedirNotes& notes)
    : io_(io),
      serial_(std::move(serial)),
      port_(port),
      notes_(notes),
      acceptor_(io, Local::endpoint(socket_path)),
      qemu_(io),
      buffer_(64 * 1024),
      from_host_(
          RedirParser::kPacketBytes,
          [this](ByteView packet, std::size_t payload_bytes) {
              notes_.received.insert(payload_bytes);
              error_code ignored;  // a virtual phone that has gone is seen when it is read
              boost::asio::write(*phone_, boost::asio::buffer(packet.data(), packet.size()), ignored);
          },
          [this](std::string why) { notes_.violations.push_back(serial_ + ": " + why); }),
      from_phone_([this](ByteView packet) { say_packet(packet); }) {
    dial_phone();
    acceptor_.async_accept(qemu_, [this](const error_code& ec) {
        if (ec) return;
        qemu_.non_blocking(true);
        parser_ = std::make_unique<RedirParser>(qemu_.native_handle(), serial_, *this);
        flush();
        read_qemu();
    });
}

void RedirPhone::dial_phone() {
    from_host_.reset();
    from_phone_.reset();
    reads_.clear();
    packets_.clear();
    phone_ = std::make_unique<tcp::socket>(io_);
    phone_->connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port_));
    phone_->set_option(tcp::no_delay(true));
    read_phone();
}

void RedirPhone::read_phone() {
    auto& socket = *phone_;
    socket.async_read_some(boost::asio::buffer(buffer_), [this, &socket](const error_code& ec, std::size_t n) {
        if (ec || &socket != phone_.get()) return;
        from_phone_.feed(ByteView(buffer_).first(n));
        flush();
        read_phone();
    });
}

void RedirPhone::unplug_at_output(std::function<void()> done) { unplug_done_ = std::move(done); }

void RedirPhone::plug() {
    dial_phone();
    parser_->plug();
    flush();
}

void RedirPhone::say_packet(ByteView packet) {
    if (unplug_done_ && adb::decode_header(packet.data()).is(adb::Command::wrte)) {
        parser_->unplug();
        reads_.clear();
        flush();
        std::exchange(unplug_done_, nullptr)();
        return;
    }
    notes_.sent.insert(packet.size() - adb::kHeaderBytes);
    say(packet.first(adb::kHeaderBytes));
    if (packet.size() > adb::kHeaderBytes) say(packet.subspan(adb::kHeaderBytes));
}

// Nothing follows a full last packet, as FunctionFS sends it.
void RedirPhone::say(ByteView transfer) {
    while (!transfer.empty()) {
        const ByteView packet = transfer.first(std::min(RedirParser::kPacketBytes, transfer.size()));
        packets_.emplace_back(packet.begin(), packet.end());
        transfer = transfer.subspan(packet.size());
    }
    fill();
}

// A read ends with a short packet, when it is full, or with babble.
void RedirPhone::fill() {
    while (!packets_.empty() && !reads_.empty()) {
        Read& read = reads_.front();
        std::uint8_t status = usb_redir_success;
        bool ends = false;
        while (!ends && !packets_.empty()) {
            const auto& packet = packets_.front();
            const std::size_t room = read.room - read.bytes.size();
            const std::size_t n = std::min(room, packet.size());
            read.bytes.insert(read.bytes.end(), packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(n));
            if (packet.size() > room) status = usb_redir_babble;
            ends = packet.size() >= room || packet.size() < RedirParser::kPacketBytes;
            packets_.pop_front();
        }
        if (!ends) return;
        parser_->end_in(read.id, status, read.bytes);
        reads_.pop_front();
    }
}

void RedirPhone::on_out(ByteView transfer) { from_host_.on_transfer(transfer); }

void RedirPhone::on_in(std::uint64_t id, std::size_t room) {
    reads_.push_back({id, room, {}});
    fill();
}

void RedirPhone::on_cancel(std::uint64_t id) {
    const auto it = std::find_if(reads_.begin(), reads_.end(), [id](const Read& read) { return read.id == id; });
    if (it == reads_.end()) return;
    reads_.erase(it);
    parser_->end_in(id, usb_redir_cancelled, {});
}

void RedirPhone::read_qemu() {
    qemu_.async_wait(Local::socket::wait_read, [this](const error_code& ec) {
        if (ec || !parser_->read()) return;
        flush();
        read_qemu();
    });
}

void RedirPhone::flush() {
    if (!parser_ || writing_ || !parser_->wants_write() || !parser_->write() || !parser_->wants_write()) return;
    writing_ = true;
    qemu_.async_wait(Local::socket::wait_write, [this](const error_code& ec) {
        writing_ = false;
        if (!ec) flush();
    });
}

}  // namespace drover::test
