// A phone reached directly over TCP. Threads, failure: as DirectConnector. The connector owns its dialler.
#pragma once
#include <memory>
#include <string>

#include "adb/transport/tcp_dialler.hpp"
#include "fleet/direct_connector.hpp"

namespace drover::fleet {

class TcpConnector final : public DirectConnector {
public:
    TcpConnector(Loop& loop, std::string instance_id, TcpAddress address, LinkConnectorOptions options);
    ~TcpConnector() override;

    std::size_t descriptors() const override { return 1; }

private:
    void dial() override;
    void drop_dial() override;
    std::string where() const override;
    void on_dialled(const Result<int>& fd);

    const TcpAddress address_;
    std::unique_ptr<adb::TcpDialler> dialler_;
};

}  // namespace drover::fleet
