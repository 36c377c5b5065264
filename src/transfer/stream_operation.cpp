#include "transfer/stream_operation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/duration.hpp"

namespace drover::transfer {

// What outlives the operation while the pool still works for it.
struct StreamOperation::Shared {
    Shared(Loop& l, WorkPool& pool, StreamOperation& op)
        : loop(l), serial(std::make_shared<SerialWork>(pool)), self(&op) {}

    Loop& loop;
    std::shared_ptr<SerialWork> serial;
    StreamOperation* self;  // the loop's only; null once it is gone
};

struct StreamOperation::Job {
    Bytes in, out;
    std::size_t room = 0;
    bool closed = false;
    Result<void> result;
    bool fed = false;
    bool done = false;

    void run(StreamTask& task) {
        fed = !in.empty();
        if (fed) result = task.feed(in);
        if (result && room > 0 && !task.done()) result = task.produce(room, out);
        done = result && task.done();
        if (result && !done && closed) {
            result = task.on_closed();
            done = result.has_value();
        }
    }
};

StreamOperation::StreamOperation(fleet::Phone& phone, dispatch::OperationOwner& owner, WorkPool& pool,
                                 std::unique_ptr<Script> script, TransferLimits limits)
    : phone_(phone),
      owner_(owner),
      script_(std::move(script)),
      limits_(std::move(limits)),
      link_(phone, *this),
      shared_(std::make_shared<Shared>(phone.loop(), pool, *this)) {}

StreamOperation::~StreamOperation() {
    shared_->self = nullptr;
    close_stream();
    if (shown_) phone_.end_activity(shown_->during, fleet::Activity::idle, fmt::format("{}: given up", shown_->what));
    drop_task(false);
}

void StreamOperation::start() {
    DROVER_ASSERT(phase_ == Phase::queue);
    phase_ = Phase::connect;
    phone_.loop().arm_after(total_deadline_, limits_.limits.total);
    link_.start(limits_.limits);
}

void StreamOperation::on_no_link(const Error& why, Phase phase) {
    phase_ = phase;
    stop_with(why.code, why.message);
}

// Every leg begins here: between two of them the link may have been lost and found again.
void StreamOperation::on_link(adb::Carrier& carrier) {
    auto leg = script_->next(carrier.peer());
    if (!leg) return stop_with(leg.error().code, leg.error().message);
    if (!*leg) {
        phase_ = Phase::done;
        result_.code = Code::ok;
        return give_row();
    }
    const auto id = carrier.open((*leg)->service, *this);
    task_ = std::move((*leg)->task);
    if (!id) return fail_with(id.error());
    carrier_ = &carrier;
    id_ = *id;
    attempts_ = 1;
    phase_ = Phase::open;
    if (!shown_ && (shown_ = script_->shown())) phone_.begin_activity(shown_->during, shown_->what);
    // A phone of small packets would have its queue moved about for each of them.
    constexpr std::size_t kPackets = 16;
    out_room_ = std::min<std::size_t>(kOutBytes, kPackets * carrier.peer().max_payload);
    unacked_max_ = std::min<std::size_t>(kUnackedBytesMax, 2 * kPackets * carrier.peer().max_payload);
    open_ = held_ = working_ = sated_ = closed_ = ending_ = false;
    in_.clear();
    out_.clear();
    phone_.loop().arm_after(phase_deadline_, limits_.limits.open);
}

void StreamOperation::on_open() {
    open_ = true;
    phase_ = Phase::run;
    if (limits_.enough) phone_.loop().arm_after(enough_, *limits_.enough);
    phase_deadline_.cancel();
    note_progress();
    work();
}

adb::Ack StreamOperation::on_data(ByteView bytes) {
    if (ending_ || stopped_) return adb::Ack::now;
    note_progress();
    if (!std::exchange(flowing_, true) && limits_.flowing) limits_.flowing();
    in_.insert(in_.end(), bytes.begin(), bytes.end());
    work();
    if (in_.size() < kInBytesMax) return adb::Ack::now;
    held_ = true;
    return adb::Ack::later;
}

void StreamOperation::on_writable() {
    note_progress();
    write_out();
    work();
}

void StreamOperation::on_closed(const std::optional<Error>& why) {
    id_ = 0;
    if (ending_ || stopped_) return;
    if (why) return fail_with(*why);
    closed_ = true;
    work();
}

void StreamOperation::work() {
    const bool wants_more = out_.empty() && !sated_ && !closed_;
    if (working_ || ending_ || stopped_ || !open_ || (in_.empty() && !wants_more && !closed_)) return;
    working_ = true;
    auto job = std::make_shared<Job>();
    job->in.swap(in_);
    in_.swap(spare_);
    job->room = out_.empty() && !closed_ ? out_room_ : 0;
    job->closed = closed_;
    shared_->serial->post([shared = shared_, task = task_, job] {
        job->run(*task);
        shared->loop.post([shared, job] {
            if (shared->self) shared->self->on_worked(*job);
        });
    });
    if (std::exchange(held_, false)) carrier_->acknowledge(id_);
}

void StreamOperation::on_worked(Job& job) {
    working_ = false;
    if (ending_ || stopped_) return;
    job.in.clear();
    spare_.swap(job.in);
    if (!job.result) return fail_with(job.result.error());
    if (job.room > 0) {
        sated_ = job.out.empty();
        out_ = std::move(job.out);
    } else if (job.fed) {
        sated_ = false;
    }
    write_out();
    if (job.done) return end_leg();
    work();
}

void StreamOperation::write_out() {
    if (out_.empty() || id_ == 0 || stopped_) return;
    const std::size_t unacked = carrier_->unacked(id_);
    if (unacked > 0 && unacked + out_.size() > unacked_max_) return;  // on_writable() follows
    const ByteView all(out_);
    const std::size_t n = std::min(all.size(), carrier_->write_limit() - std::min(unacked, carrier_->write_limit()));
    const Bytes written = std::exchange(out_, Bytes(all.begin() + static_cast<std::ptrdiff_t>(n), all.end()));
    carrier_->write(id_, ByteView(written).first(n));
}

void StreamOperation::note_progress() {
    if (open_ && limits_.limits.silence) phone_.loop().arm_after(phase_deadline_, *limits_.limits.silence);
}

void StreamOperation::close_stream() {
    if (id_ != 0) carrier_->close(std::exchange(id_, 0));
}

// The task has all it wants, or the time for it is over.
void StreamOperation::end_leg() {
    if (ending_ || stopped_) return;
    ending_ = true;
    phase_deadline_.cancel();
    enough_.cancel();
    close_stream();
    auto rest = std::make_shared<Bytes>(std::move(in_));
    shared_->serial->post([shared = shared_, task = task_, rest] {
        Result<void> fed;
        if (!task->done() && !rest->empty()) fed = task->feed(*rest);
        auto text = std::make_shared<Result<std::string>>(fed ? task->finish() : tl::unexpected(fed.error()));
        shared->loop.post([shared, text] {
            if (shared->self) shared->self->on_leg_finished(*text);
        });
    });
}

void StreamOperation::on_leg_finished(const Result<std::string>& text) {
    if (stopped_) return;
    if (!text) return fail_with(text.error());
    if (!text->empty()) text_ = *text;
    task_.reset();
    phase_ = Phase::connect;
    link_.start(limits_.limits);
}

void StreamOperation::drop_task(bool then_end) {
    if (!task_) {
        if (then_end) end();
        return;
    }
    shared_->serial->post([shared = shared_, task = std::move(task_), then_end]() mutable {
        task->discard();
        task.reset();
        if (!then_end) return;
        shared->loop.post([shared] {
            if (shared->self) shared->self->end();
        });
    });
    task_.reset();
}

void StreamOperation::on_phase_deadline() {
    if (!open_) {
        return fail_with(Error(Code::open_deadline, fmt::format("nothing within {}", to_string(limits_.limits.open))));
    }
    // The phone is not to blame for the time that this host's disk takes.
    if (working_) return note_progress();
    fail_with(Error(Code::silence_deadline, fmt::format("nothing for {}", to_string(*limits_.limits.silence))));
}

void StreamOperation::on_total_deadline() {
    expire(fmt::format("not done within {}", to_string(limits_.limits.total)));
}

void StreamOperation::stop(const Error& why) {
    hurried_ = true;
    stop_with(why.code, why.message);
}

void StreamOperation::expire(std::string_view limit) {
    if (stopped_) return;
    if (phase_ == Phase::connect && attempts_ == 0) return link_.expire();
    stop_with(Code::timeout, limit);
}

// The row waits until what was written in part is gone.
void StreamOperation::fail_with(const Error& why) {
    if (stopped_) return;
    stopped_ = true;
    result_ = why;
    link_.cancel();
    close_stream();
    drop_task(true);
}

void StreamOperation::stop_with(Code code, std::string_view detail) {
    if (stopped_) return;
    stopped_ = true;
    result_ = Error(code, std::string(detail));
    link_.cancel();
    close_stream();
    drop_task(false);
    end();
}

// What is left on the phone is removed, if the phone is still there.
void StreamOperation::end() {
    const auto command = phone_.peer() ? script_->clean_up() : std::nullopt;
    if (!command) return give_row();
    dispatch::ExecutionOwner& owner = *this;
    clean_up_.emplace(phone_, owner, nullptr, 0);
    Command removal;
    removal.text = *command;
    removal.limits.total = hurried_ ? kHurriedCleanUpMax : kCleanUpMax;
    clean_up_->start(std::move(removal));
}

void StreamOperation::on_result(Row&&) { give_row(); }

// What somebody stopped did not fail.
void StreamOperation::show_end() {
    const auto shown = std::exchange(shown_, std::nullopt);
    if (!shown) return;
    const bool ok = result_.code == Code::ok, stopped = result_.code == Code::cancelled;
    const auto then = ok ? shown->done : stopped ? fleet::Activity::idle : shown->failed;
    phone_.end_activity(shown->during, then, fmt::format("{}: {}", shown->what, ok ? "done" : result_.message));
}

void StreamOperation::give_row() {
    stopped_ = true;
    total_deadline_.cancel();
    phase_deadline_.cancel();
    enough_.cancel();
    show_end();
    Row row;
    row.code = result_.code;
    row.phase = phase_;
    row.attempts = attempts_;
    if (result_.code != Code::ok) row.error_msg = dispatch::error_text(result_.code, result_.message);
    dispatch::Capture capture(limits_.limits.max_output_bytes);
    if (result_.code == Code::ok) capture.add(OutputStream::out, as_bytes(text_));
    capture.finish(row);
    owner_.on_result(std::move(row));
}

}  // namespace drover::transfer
