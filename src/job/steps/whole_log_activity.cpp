#include "job/steps/whole_log_activity.hpp"

#include <fmt/format.h>

namespace drover::job {
namespace {

bool can_get_better(Code code) {
    return code != Code::local_file && code != Code::unauthorized && code != Code::wants_tls &&
           code != Code::no_permission;
}

// It ends with the job, whatever limit that has.
Limits endless(Limits limits) {
    constexpr std::chrono::hours kLongerThanAnyJob{24 * 365};
    limits.total = kLongerThanAnyJob;
    return limits;
}

}  // namespace

std::string log_file_name(std::size_t number) {
    return number == 1 ? std::string("logcat.txt") : fmt::format("logcat-{}.txt", number);
}

WholeLogActivity::WholeLogActivity(const ActivityContext& context, Open open, std::string files_below)
    : phone_(context.phone),
      owner_(context.owner),
      ground_(*context.files),
      limits_(endless(context.limits)),
      target_(context.target),
      open_(std::move(open)),
      files_below_(std::move(files_below)),
      handle_(std::make_shared<WholeLogActivity*>(this)) {}

void WholeLogActivity::open_next() {
    flowing_ = false;
    const auto number = std::make_shared<std::size_t>(files_.empty() ? 1 : *files_.back() + 1);
    auto what = open_(number, [handle = handle_] {
        if (*handle) (*handle)->on_flowing();
    });
    ActivityOwner& owner = *this;
    session_ = std::make_unique<OperationActivity>(phone_, owner, ground_, limits_, target_, std::move(what));
    files_.push_back(number);
    session_->start();
}

void WholeLogActivity::on_flowing() {
    flowing_ = true;
    if (winding_up_) phone_.loop().arm_after(wound_up_, kLastLines);
}

void WholeLogActivity::wind_up() {
    winding_up_ = true;
    phone_.loop().arm_after(
        wound_up_, flowing_ || !session_ || files_.size() > 1 ? Duration(kLastLines) : Duration(kFirstBytesMax));
}

void WholeLogActivity::stop(const Error& why) {
    if (stopped_) return;
    stopped_ = true;
    again_.cancel();
    wound_up_.cancel();
    if (session_) return session_->stop(why);
    finish();
}

void WholeLogActivity::on_outcome(Outcome&& outcome) {
    if (!flowing_) files_.pop_back();
    last_ = std::move(outcome);
    if (stopped_) return finish();
    session_.reset();
    if (winding_up_ || !can_get_better(last_.code) || files_.size() == kFilesMax) {
        stopped_ = true;
        return finish();
    }
    phone_.loop().arm_after(again_, kAgainAfter);
}

void WholeLogActivity::finish() {
    again_.cancel();
    wound_up_.cancel();
    Outcome outcome;
    // A log that was had is a log, however its last stream ended.
    if (files_.empty() || last_.code == Code::local_file) outcome = std::move(last_);
    if (outcome.code == Code::cancelled && winding_up_) {
        outcome.code = Code::first_byte_deadline;
        outcome.message = dispatch::error_text(outcome.code, "no log came");
    }
    outcome.opened = outcome.opened || !files_.empty();
    // Those before the first are of the run that was taken up.
    const auto last = files_below_.empty() || files_.empty() ? 0 : *files_.back();
    for (std::size_t number = 1; number <= last; ++number)
        outcome.files.push_back(files_below_ + '/' + log_file_name(number));
    owner_.on_outcome(std::move(outcome));
}

}  // namespace drover::job
