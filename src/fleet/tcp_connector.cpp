#include "fleet/tcp_connector.hpp"

#include "adb/transport/tcp.hpp"

namespace drover::fleet {

TcpConnector::TcpConnector(Loop& loop, std::string instance_id, TcpAddress address, LinkConnectorOptions options)
    : DirectConnector(loop, std::move(instance_id), std::move(options)), address_(std::move(address)) {}

TcpConnector::~TcpConnector() { stop(); }

void TcpConnector::dial() {
    dialler_ = std::make_unique<adb::TcpDialler>(loop(), address_);
    dialler_->start([this](const Result<int>& fd) { on_dialled(fd); });
}

void TcpConnector::drop_dial() { dialler_.reset(); }

std::string TcpConnector::where() const { return to_string(Address(address_)); }

void TcpConnector::on_dialled(const Result<int>& fd) {
    // This host's own shortage will not pass while those who wait are still there.
    if (!fd) return failed(fd.error(), PhoneEvent::no_connection, fd.error().code == Code::out_of_resources);
    connected([&](adb::TransportSink& sink) { return std::make_unique<adb::TcpTransport>(loop(), *fd, sink); });
}

}  // namespace drover::fleet
