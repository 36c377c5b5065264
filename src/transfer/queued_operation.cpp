#include "transfer/queued_operation.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/assert.hpp"
#include "base/duration.hpp"

namespace drover::transfer {
namespace {

std::string hub_of(const fleet::Phone& phone) {
    if (const auto path = phone.usb_path(); !path.empty()) return dispatch::hub_of(path);
    const auto* written = std::get_if<UsbPath>(&phone.instance().address);
    return written ? dispatch::hub_of(written->path) : std::string();
}

}  // namespace

QueuedOperation::QueuedOperation(fleet::Phone& phone, dispatch::OperationOwner& owner, std::size_t target,
                                 const Queue& queue, Limits limits, Prepare prepare)
    : phone_(phone),
      owner_(owner),
      target_(target),
      queue_(queue),
      limits_(limits),
      prepare_(std::move(prepare)),
      link_(phone, *this),
      handle_(std::make_shared<QueuedOperation*>(this)) {}

void QueuedOperation::start() {
    phone_.loop().arm_after(total_deadline_, limits_.total);
    link_.start(limits_);
}

void QueuedOperation::on_link(adb::Carrier&) {
    if (!queue_.limits) return prepare();
    stage_ = Stage::turn;
    turn_ = queue_.turns.ask(hub_of(phone_), *queue_.limits, [handle = handle_, &loop = phone_.loop()] {
        loop.post([handle] {
            if (*handle) (*handle)->on_turn();
        });
    });
}

void QueuedOperation::on_turn() {
    if (stage_ == Stage::turn) prepare();
}

void QueuedOperation::prepare() {
    stage_ = Stage::preparing;
    queue_.disk.post([handle = handle_, &loop = phone_.loop(), prepare = std::move(prepare_)] {
        auto made = std::make_shared<Result<dispatch::OperationFactory>>(prepare());
        loop.post([handle, made] {
            if (*handle) (*handle)->on_prepared(std::move(*made));
        });
    });
}

void QueuedOperation::on_prepared(Result<dispatch::OperationFactory>&& made) {
    if (stage_ != Stage::preparing) return;
    if (!made) return fail_with(made.error(), Phase::queue);
    stage_ = Stage::running;
    dispatch::OperationOwner& owner = *this;
    operation_ = (*made)(phone_, owner, target_);
    operation_->start();
}

void QueuedOperation::stop(const Error& why) {
    if (stage_ == Stage::done) return;
    if (stage_ == Stage::running) return operation_->stop(why);
    fail_with(why, Phase::queue);
}

void QueuedOperation::on_total_deadline() { expire(fmt::format("not done within {}", to_string(limits_.total))); }

void QueuedOperation::expire(std::string_view limit) {
    switch (stage_) {
        case Stage::link: return link_.expire();
        case Stage::turn:
            return fail_with(Error(Code::timeout, fmt::format("{}: too many other transfers were under way", limit)),
                             Phase::queue);
        case Stage::preparing: return fail_with(Error(Code::timeout, std::string(limit)), Phase::queue);
        case Stage::running: return operation_->expire(limit);
        case Stage::done: return;
    }
}

void QueuedOperation::fail_with(const Error& why, Phase phase) {
    Row row;
    row.code = why.code;
    row.error_msg = dispatch::error_text(why.code, why.message);
    row.phase = phase;
    finish(std::move(row));
}

void QueuedOperation::finish(Row&& row) {
    DROVER_ASSERT(stage_ != Stage::done);
    stage_ = Stage::done;
    total_deadline_.cancel();
    link_.cancel();
    turn_.reset();
    owner_.on_result(std::move(row));
}

dispatch::OperationFactory make_queued(const Queue& queue, Limits limits, dispatch::OperationFactory make) {
    return [queue, limits, make = std::move(make)](fleet::Phone& phone, dispatch::OperationOwner& owner,
                                                   std::size_t target) {
        return std::make_unique<QueuedOperation>(phone, owner, target, queue, limits,
                                                 [make]() -> Result<dispatch::OperationFactory> { return make; });
    };
}

}  // namespace drover::transfer
