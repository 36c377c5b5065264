#include "cli/remote_call.hpp"

#include <boost/json/serialize.hpp>

#include "base/duration.hpp"
#include "cli/server_client.hpp"
#include "dispatch/execution.hpp"
#include "http/wire.hpp"
#include "net/http_client.hpp"

namespace drover::cli {
namespace {

constexpr std::chrono::seconds kAnswerMax{1};  // inside the drain of a stop (reference: cli.md, Stopping)

}  // namespace

RemoteCall::RemoteCall(ServerChoice server, std::string target, const http::CallRequest& request,
                       std::vector<std::string> ids, OutputSink* output, RowSink& sink)
    : server_(std::move(server)),
      ids_(std::move(ids)),
      output_(output),
      deadline_(request.deadline),
      sink_(sink),
      has_row_(ids_.size()) {
    stream_.emplace(
        server_, std::move(target), to_json(request),
        [this](std::string_view name, const boost::json::object& data) { on_event(name, data); },
        [this](const std::optional<Error>& why) { on_end(why); });
    watch_ = std::thread([this] { watch(); });
}

RemoteCall::~RemoteCall() {
    wait();
    watch_.join();  // it may cancel the stream
    stream_.reset();
}

void RemoteCall::stop(Error why) {
    const std::lock_guard lock(mutex_);
    if (stop_why_ || done_) return;
    stop_why_ = std::move(why);
    held_ = false;
    changed_.notify_all();
}

// The server keeps the deadline and stops when it is asked, and the rows come as always. Only when it does not even answer are they
// given here: what it does is not known then.
void RemoteCall::watch() {
    std::unique_lock lock(mutex_);
    const auto told = [this] { return done_ || stop_why_; };
    if (deadline_ && !changed_.wait_for(lock, *deadline_ + kAnswerMax, told) && !server_lives(lock))
        give_up(lock, Error(Code::call_deadline, to_string(*deadline_)));
    changed_.wait(lock, told);
    if (!done_ && !server_stops(lock)) give_up(lock, *stop_why_);
}

bool RemoteCall::server_lives(std::unique_lock<std::mutex>& lock) const {
    lock.unlock();
    net::ClientOptions options;
    options.timeout = kAnswerMax;
    const bool lives = net::exchange(server_.url, server_.request("GET", "/healthz", {}), options).has_value();
    lock.lock();
    return lives;
}

bool RemoteCall::server_stops(std::unique_lock<std::mutex>& lock) {
    if (!changed_.wait_for(lock, kAnswerMax, [this] { return done_ || !call_id_.empty(); })) return false;
    if (done_) return true;
    boost::json::object body;
    body["why"] = stop_why_->message;
    const auto target = "/drover/v1/calls/" + call_id_ + "/stop";
    lock.unlock();
    const auto answer = ServerClient(server_).post(target, boost::json::serialize(body), kAnswerMax);
    lock.lock();
    // That the call is not known any more is an answer too.
    return answer || answer.error().code != Code::server_unreachable;
}

void RemoteCall::give_up(std::unique_lock<std::mutex>& lock, Error why) {
    if (done_ || given_up_) return;
    why.message += "; the server did not answer";
    given_up_ = std::move(why);
    lock.unlock();
    stream_->cancel();
    lock.lock();
}

void RemoteCall::wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
}

void RemoteCall::on_event(std::string_view name, const boost::json::object& data) {
    if (name == "row") return on_row(data);
    if (name == "output") return on_output(data);
    if (name != "begin") return;
    begun_ = true;
    const auto* id = data.if_contains("call_id");
    const std::lock_guard lock(mutex_);
    if (id && id->is_string()) call_id_ = id->get_string().c_str();
    changed_.notify_all();
}

void RemoteCall::on_row(const boost::json::object& data) {
    auto row = http::read_row(data);
    // A row that makes no sense, or a second one, is not one: its phone gets its row at the end.
    if (!row || row->index >= ids_.size() || row->instance_id != ids_[row->index] || has_row_[row->index]) return;
    has_row_[row->index] = true;
    sink_.on_row(std::move(*row));
}

void RemoteCall::on_output(const boost::json::object& data) {
    const auto piece = http::read_output(data);
    if (!output_ || !piece || piece->index >= ids_.size() || has_row_[piece->index]) return;
    {
        const std::lock_guard lock(mutex_);
        held_ = true;
    }
    const auto resume = [this] {
        const std::lock_guard lock(mutex_);
        held_ = false;
        changed_.notify_all();
    };
    if (output_->on_output(piece->index, piece->stream, piece->bytes, resume) == OutputSink::Flow::go_on)
        return resume();
    // Nothing is read meanwhile, so the server holds its phones back.
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_; });
}

void RemoteCall::on_end(const std::optional<Error>& why) {
    auto reason = why.value_or(Error(Code::server_unreachable, "the server sent no row for this phone"));
    {
        const std::lock_guard lock(mutex_);
        if (given_up_) reason = *given_up_;
    }
    if (begun_ && why && why->code == Code::server_unreachable && !given_up_)
        reason.message += "; whether the command ran on this phone is not known";
    for (std::size_t i = 0; i < ids_.size(); ++i) {
        if (has_row_[i]) continue;
        Row row;
        row.index = i;
        row.instance_id = ids_[i];
        row.code = reason.code;
        row.error_msg = dispatch::error_text(reason.code, reason.message);
        row.phase = begun_ ? Phase::run : Phase::queue;
        row.attempts = begun_ ? 1 : 0;  // it may have been opened
        sink_.on_row(std::move(row));
    }
    sink_.on_done();
    const std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_all();
}

}  // namespace drover::cli
