#include "http/row_stream.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "base/log.hpp"
#include "http/sse.hpp"
#include "http/wire.hpp"

namespace drover::http {

namespace json = boost::json;

Service::RowStream::RowStream(Service& service, ExchangePtr x, std::shared_ptr<Fleet> fleet,
                              std::vector<std::size_t> targets, std::string id)
    : OpenCall(service, std::move(x), std::move(id)), fleet_(std::move(fleet)), targets_(std::move(targets)) {}

void Service::RowStream::hold(const std::string& job) {
    auto& holds = service().parts_.phones.holds();
    std::vector<std::string> ids;
    for (const auto target : targets_) ids.push_back(fleet_->instances().at(target).id);
    const auto granted = holds.take({id(), caller().tenant->name, job}, ids, {});
    holding_ = true;
    if (granted.size() == ids.size()) return;
    for (std::size_t i = 0, g = 0; i < ids.size(); ++i) {
        if (g < granted.size() && ids[i] == granted[g]) {
            places_.push_back(i);
            ++g;
            continue;
        }
        const auto hold = holds.of(ids[i]);
        // Let go in this very moment: the run has begun without it all the same.
        const auto why = hold ? fleet::refusal(*hold) : Error(Code::held, std::string(info(Code::held).text));
        Row row;
        row.index = i;
        row.instance_id = ids[i];
        row.code = why.code;
        row.error_msg = why.message;
        refused_.push_back(std::move(row));
    }
}

void Service::RowStream::open_stream() {
    net::BodyStream::Hooks hooks;
    const std::weak_ptr<OpenCall> weak = weak_from_this();
    // Not at once: it may come from inside a row, where the call's own lock is held.
    hooks.on_gone = [weak, &loop = service().worker()] {
        loop.post([weak] {
            if (const auto self = weak.lock()) self->stop(Error(Code::interrupted, "the client has gone"));
        });
    };
    hooks.on_drained = [weak] {
        if (const auto self = weak.lock()) static_cast<RowStream&>(*self).resume_all();
    };
    body_ = std::make_shared<net::BodyStream>(std::move(hooks), std::string(kHeartbeat));
}

json::object Service::RowStream::begin_object(std::size_t disabled_left_out) const {
    json::array ids;
    for (const auto target : targets_) ids.emplace_back(fleet_->instances().at(target).id);
    json::object o;
    o["call_id"] = id();
    o["instance_ids"] = std::move(ids);
    o["disabled_left_out"] = disabled_left_out;
    return o;
}

void Service::RowStream::start(const Starter& starter, bool with_output, std::size_t disabled_left_out) {
    open_stream();
    body_->write(event_text("begin", begin_object(disabled_left_out)));
    net::Response response;
    response.headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
    response.stream = body_;
    service().answer(exchange(), std::move(response));
    for (const auto& row : refused_) tell(row);
    const std::lock_guard lock(mutex_);
    self_ = shared_from_this();
    if (!refused_.empty() && places_.empty()) return on_done();
    std::vector<std::size_t> targets;
    for (const auto place : places_) targets.push_back(targets_[place]);
    call_ = starter(*fleet_, places_.empty() ? targets_ : targets, with_output ? this : nullptr, *this);
    if (stop_why_) call_->stop(*stop_why_);
}

void Service::RowStream::stop(const Error& why) {
    {
        const std::lock_guard lock(mutex_);
        if (!stop_why_) stop_why_ = why;
        if (call_) call_->stop(*stop_why_);
    }
    resume_all();
}

void Service::RowStream::on_row(Row row) {
    row.index = place_of(row.index);
    tell(row);
}

void Service::RowStream::tell(const Row& row) {
    service().parts_.metrics.count_row(row.code, Millis(row.ms));
    ++(row.ok() ? ok_ : failed_);
    body_->write(event_text("row", row_object(row)));
}

OutputSink::Flow Service::RowStream::on_output(std::size_t target, OutputStream stream, std::string_view bytes,
                                               std::function<void()> resume) {
    const auto text = event_text("output", output_object(place_of(target), stream, bytes));
    const std::lock_guard lock(held_mutex_);  // on_drained cannot come between the write and the note
    if (body_->write(text) != net::BodyStream::Written::full) return Flow::go_on;
    held_.push_back(std::move(resume));
    return Flow::later;
}

void Service::RowStream::resume_all() {
    std::vector<std::function<void()>> held;
    {
        const std::lock_guard lock(held_mutex_);
        held.swap(held_);
    }
    for (const auto& resume : held) resume();
}

void Service::RowStream::on_done() {
    service().worker().post([self = std::static_pointer_cast<RowStream>(shared_from_this())] { self->finish(); });
}

void Service::RowStream::finish() {
    std::unique_ptr<drover::Call> call;
    std::shared_ptr<OpenCall> self;
    {
        const std::lock_guard lock(mutex_);
        call.swap(call_);
        self.swap(self_);
    }
    call.reset();
    // Before the end is told: whoever has read it may have the phones.
    if (holding_) service().parts_.phones.holds().release(id());
    json::object o;
    o["rows"] = ok_ + failed_;
    o["ok"] = ok_;
    o["failed"] = failed_;
    body_->write(event_text("end", o));
    body_->end();
    auto& x = *exchange();
    x.audit.outcome = fmt::format("{} ok, {} failed", ok_, failed_);
    log::event(
        log::Level::info, "http: stream ended",
        {{"call", std::string(to_string(x.routed.call))}, {"outcome", x.audit.outcome}, {"request_id", x.request_id}});
    service().note_audit(x);
}

}  // namespace drover::http
