#include "base/assert.hpp"
#include "base/duration.hpp"
#include "dispatch/call_state.hpp"
#include "dispatch/execution.hpp"

namespace drover::dispatch {

struct Lane::Slot final : WorkDone, fleet::GateWaiter {
    // at_gate: the phone has as many commands as it may have; admitted: it has room, the call's window has none.
    enum class Stage : std::uint8_t { queued, at_gate, admitted, working, done };

    Slot(Lane& l, std::size_t t, fleet::Phone& p) : lane(l), target(t), phone(p) {}

    // False: it waits at the phone's gate, and needs no place in the window meanwhile.
    bool begin() {
        stage = Stage::at_gate;
        if (!phone.gate().enter(*this)) return false;
        work_now();
        return true;
    }
    void on_admitted() override {
        stage = Stage::admitted;
        lane.admitted_.push_back(this);
        lane.pump();
    }
    void work_now() {
        stage = Stage::working;
        in_window = true;
        started = lane.loop_.now();
        work = lane.call_.request.make_work(target, phone);
        work->start(phone, *this);
    }
    void on_row(Row&& row) override {
        DROVER_ASSERT(stage == Stage::working);
        row.ms = static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(lane.loop_.now() - started).count());
        lane.bury(*this);
        stage = Stage::done;
        phone.gate().exit();
        lane.finish(*this, std::move(row));
    }
    void stop(const Error& why) {
        if (stage == Stage::working) return work->stop(why);
        if (stage == Stage::done) return;
        const Stage before = std::exchange(stage, Stage::done);
        if (before == Stage::at_gate) phone.gate().leave_queue(*this);
        if (before == Stage::admitted) phone.gate().exit();
        Row row;
        row.code = why.code;
        row.error_msg = error_text(why.code, why.message);
        row.phase = Phase::queue;
        lane.finish(*this, std::move(row));
    }

    Lane& lane;
    const std::size_t target;
    fleet::Phone& phone;
    std::unique_ptr<Work> work;
    TimePoint started{};
    Stage stage = Stage::queued;
    bool in_window = false;
};

Lane::Lane(CallState& call, Loop& loop) : call_(call), loop_(loop) {}
Lane::~Lane() = default;

void Lane::add(std::size_t target, fleet::Phone& phone) { slots_.emplace_back(*this, target, phone); }

void Lane::start() {
    if (stopped_) return;
    if (call_.deadline) loop_.arm(deadline_, *call_.deadline);
    pump();
}

// The ones behind the next: a pointer can be followed only where the step before brought it.
void Lane::expect_next() {
    if (next_ + 2 < slots_.size()) slots_[next_ + 2].phone.expect_command();
    if (next_ + 1 < slots_.size()) slots_[next_ + 1].phone.expect_open();
}

void Lane::pump() {
    if (pumping_ || stopped_) return;  // a work that ends at once must not recurse once per phone
    pumping_ = true;
    starving_.store(false, std::memory_order_seq_cst);
    while ((next_ < slots_.size() || !admitted_.empty()) && !stopped_) {
        if (call_.deadline && loop_.now() >= *call_.deadline) break;  // the timer is about to say so
        if (!call_.window.take()) {
            // Said before asking again: whoever gives a place back after that sees that we wait.
            starving_.store(true, std::memory_order_seq_cst);
            if (!call_.window.take()) break;
            starving_.store(false, std::memory_order_seq_cst);
        }
        if (!admitted_.empty()) {
            Slot* const slot = admitted_.front();
            admitted_.pop_front();
            slot->work_now();
        } else if (expect_next(); !slots_[next_++].begin()) {
            call_.window.give();
            call_.wake_starving_lanes(*this);
        }
    }
    pumping_ = false;
}

void Lane::finish(Slot& slot, Row&& row) {
    row.index = slot.target;
    row.instance_id = slot.phone.instance().id;
    if (slot.in_window) {
        call_.window.give();
        pump();
        call_.wake_starving_lanes(*this);
    }
    call_.deliver(std::move(row));
}

void Lane::stop(const Error& why) {
    if (stopped_) return;
    stopped_ = why;
    deadline_.cancel();
    next_ = slots_.size();
    admitted_.clear();
    for (auto& slot : slots_) slot.stop(why);
}

void Lane::end() {
    deadline_.cancel();
    clear_buried();
}

void Lane::on_deadline() { stop(Error(Code::call_deadline, to_string(*call_.request.deadline))); }

void Lane::bury(Slot& slot) {
    const bool first = buried_.empty();
    buried_.push_back(std::move(slot.work));
    if (call_.links_rest) resting_.push_back(&slot.phone);
    if (first) loop_.post([call = call_.shared_from_this(), this] { clear_buried(); });
}

void Lane::clear_buried() {
    buried_.clear();
    // Not after the last row: the fleet may be gone by now. What posts from elsewhere may overtake what this loop posted.
    if (!resting_.empty() && !call_.done()) {
        for (fleet::Phone* phone : resting_) phone->let_go();
    }
    resting_.clear();
}

}  // namespace drover::dispatch
