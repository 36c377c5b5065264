#include "cli/remote_call.hpp"

#include <boost/json/serialize.hpp>

#include "cli/server_client.hpp"
#include "dispatch/execution.hpp"
#include "http/wire.hpp"

namespace drover::cli {
namespace {

constexpr std::chrono::seconds kStopMax{2};  // until the server has said that it stops; reference: cli.md, Stopping

}  // namespace

RemoteCall::RemoteCall(ServerChoice server, std::string target, std::string body, std::vector<std::string> ids,
                       OutputSink* output, RowSink& sink)
    : server_(std::move(server)), ids_(std::move(ids)), output_(output), sink_(sink), has_row_(ids_.size()) {
    stream_.emplace(
        server_, std::move(target), std::move(body),
        [this](std::string_view name, const boost::json::object& data) { on_event(name, data); },
        [this](const std::optional<Error>& why) { on_end(why); });
}

RemoteCall::~RemoteCall() {
    wait();
    if (stopping_.joinable()) stopping_.join();  // it may cancel the stream
    stream_.reset();
}

void RemoteCall::stop(Error why) {
    const std::lock_guard lock(mutex_);
    if (stop_why_ || done_) return;
    stop_why_ = std::move(why);
    held_ = false;
    changed_.notify_all();
    stopping_ = std::thread([this] { carry_out_stop(); });
}

// The server stops the call, and its rows come as always. On its own thread: stop() must not wait for a network. A server that
// is silent for the time a stop may take is left: the rows are given here.
void RemoteCall::carry_out_stop() {
    std::unique_lock lock(mutex_);
    const bool begun = changed_.wait_for(lock, kStopMax, [this] { return done_ || !call_id_.empty(); });
    if (done_) return;
    bool answered = false;
    if (begun) {
        boost::json::object body;
        body["why"] = stop_why_->message;
        const auto target = "/drover/v1/calls/" + call_id_ + "/stop";
        lock.unlock();
        const auto answer = ServerClient(server_).post(target, boost::json::serialize(body), kStopMax);
        // That the call is not known any more is an answer too.
        answered = answer || answer.error().code != Code::server_unreachable;
        lock.lock();
    }
    if (answered || done_) return;
    given_up_ = true;
    lock.unlock();
    stream_->cancel();
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
        if (given_up_) reason = Error(stop_why_->code, stop_why_->message + "; the server did not answer");
    }
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
