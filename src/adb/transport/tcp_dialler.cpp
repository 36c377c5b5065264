#include "adb/transport/tcp_dialler.hpp"

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace drover::adb {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

// Never destroyed: a lookup may hang for half a minute, and the program must be able to end before that.
boost::asio::thread_pool& lookups() {
    static auto& pool = *new boost::asio::thread_pool(TcpDialler::kLookupThreads);
    return pool;
}

bool is_ours(const error_code& ec) {
    return ec == boost::system::errc::too_many_files_open || ec == boost::system::errc::too_many_files_open_in_system;
}

}  // namespace

struct TcpDialler::State : std::enable_shared_from_this<State> {
    State(Loop& l, TcpAddress a) : loop(l), address(std::move(a)) {}

    void finish(Result<int> result) {
        if (Done call = std::exchange(done, nullptr)) call(std::move(result));
    }
    void failed(const char* what, const error_code& ec) {
        finish(fail(is_ours(ec) ? Code::out_of_resources : Code::phone_not_found,
                    fmt::format("{} {}: {}", what, to_string(Address(address)), ec.message())));
    }

    // On a lookup thread. The loop may be gone by the time the answer comes: `alive` and its mutex say so.
    void look_up() {
        error_code ec;
        boost::asio::io_context own;
        tcp::resolver resolver(own);
        const auto found = resolver.resolve(address.host, std::to_string(address.port), ec);
        std::vector<tcp::endpoint> list;
        for (const auto& entry : found) list.push_back(entry.endpoint());
        const std::lock_guard lock(mutex);
        if (!alive) return;
        loop.post([self = shared_from_this(), ec, list = std::move(list)]() mutable {
            if (!self->done) return;
            if (ec || list.empty()) return self->failed("cannot resolve", ec);
            self->endpoints = std::move(list);
            self->try_next();
        });
    }

    void try_next() {
        socket.emplace(loop.io());
        socket->async_connect(endpoints[tried++], [self = shared_from_this()](const error_code& ec) {
            if (!self->done) return;
            if (ec && self->tried < self->endpoints.size() && !is_ours(ec)) return self->try_next();
            if (ec) return self->failed("cannot connect to", ec);
            error_code none;
            self->socket->non_blocking(true, none);
            self->finish(self->socket->release(none));
        });
    }

    Loop& loop;
    const TcpAddress address;
    std::optional<tcp::socket> socket;  // lives and dies on the loop; a lookup thread may hold the rest longer
    Done done;
    std::vector<tcp::endpoint> endpoints;
    std::size_t tried = 0;
    std::mutex mutex;
    bool alive = true;  // guarded by mutex: the loop may be posted to
};

TcpDialler::TcpDialler(Loop& loop, TcpAddress address) : state_(std::make_shared<State>(loop, std::move(address))) {}

TcpDialler::~TcpDialler() {
    state_->done = nullptr;
    {
        const std::lock_guard lock(state_->mutex);
        state_->alive = false;
    }
    state_->socket.reset();
}

void TcpDialler::start(Done done) {
    state_->done = std::move(done);
    error_code ec;
    const auto numeric = boost::asio::ip::make_address(state_->address.host, ec);
    if (!ec) {
        state_->endpoints = {tcp::endpoint(numeric, state_->address.port)};
        return state_->try_next();
    }
    boost::asio::post(lookups(), [state = state_] { state->look_up(); });
}

}  // namespace drover::adb
