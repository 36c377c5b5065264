#include "net/reply.hpp"

#include <atomic>

namespace drover::net {

struct Reply::Shared {
    std::function<void(Response)> deliver;
    std::atomic<bool> sent = false;

    void send(Response response) {
        if (!sent.exchange(true)) deliver(std::move(response));
    }
    ~Shared() {
        Response lost;
        lost.status = Response::kLost;
        send(std::move(lost));
    }
};

Reply::Reply(std::function<void(Response)> deliver) : shared_(std::make_shared<Shared>()) {
    shared_->deliver = std::move(deliver);
}
void Reply::send(Response response) const { shared_->send(std::move(response)); }

}  // namespace drover::net
