#include "job/steps/instrument_parser.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/counted.hpp"
#include "base/utf8.hpp"
#include "job/value.hpp"

namespace drover::job {
namespace {

constexpr std::string_view kStatus = "INSTRUMENTATION_STATUS: ", kStatusCode = "INSTRUMENTATION_STATUS_CODE: ",
                           kResult = "INSTRUMENTATION_RESULT: ", kCode = "INSTRUMENTATION_CODE: ",
                           kFailed = "INSTRUMENTATION_FAILED: ", kAborted = "INSTRUMENTATION_ABORTED: ";
// What the status codes mean: android.app.Instrumentation and AndroidJUnitRunner.
constexpr int kStarted = 1, kOk = 0, kError = -1, kFailure = -2, kIgnored = -3, kAssumption = -4;
constexpr int kAllRan = -1;  // Activity.RESULT_OK

}  // namespace

void InstrumentParser::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        if (!skipping_) open_ += bytes.substr(0, std::min(end, kLineBytesMax));
        if (open_.size() > kLineBytesMax) skipping_ = true;
        if (end == std::string_view::npos) return;
        if (open_.ends_with('\r')) open_.pop_back();
        line(open_.size() > kLineBytesMax ? std::string_view(open_).substr(0, kLineBytesMax) : open_);
        open_.clear();
        skipping_ = false;
        bytes.remove_prefix(end + 1);
    }
}

void InstrumentParser::line(std::string_view text) {
    if (text.starts_with(kStatusCode)) {
        key_.clear();
        return status(static_cast<int>(to_number(text.substr(kStatusCode.size())).value_or(kError)));
    }
    if (text.starts_with(kCode)) {
        key_.clear();
        code_ = static_cast<int>(to_number(text.substr(kCode.size())).value_or(0));
        return;
    }
    for (const auto prefix : {kFailed, kAborted}) {
        if (text.starts_with(prefix)) crash_ = text.substr(prefix.size());
    }
    in_result_ = text.starts_with(kResult) || (in_result_ && !text.starts_with(kStatus));
    if (text.starts_with(kStatus)) return value(text.substr(kStatus.size()));
    if (text.starts_with(kResult)) return value(text.substr(kResult.size()));
    if (key_.empty()) return;
    auto& more = values_[key_];
    if (more.size() < kMessageBytesMax) more += fmt::format("\n{}", text);
}

void InstrumentParser::value(std::string_view text) {
    const auto equals = text.find('=');
    key_ = text.substr(0, equals);
    values_[key_] = equals == std::string_view::npos ? "" : text.substr(equals + 1);
    if (in_result_ && (key_ == "shortMsg" || key_ == "longMsg")) crash_ = values_[key_];
}

void InstrumentParser::status(int code) {
    if (code == kStarted) {
        running_ = true;
        return;
    }
    running_ = false;
    const auto stack = values_["stack"];
    switch (code) {
        case kOk: add(TestCase::Verdict::passed, {}); break;
        case kFailure: add(TestCase::Verdict::failed, stack); break;
        case kIgnored:
        case kAssumption: add(TestCase::Verdict::skipped, stack); break;
        default: add(TestCase::Verdict::error, stack); break;
    }
    values_.clear();
}

void InstrumentParser::add(TestCase::Verdict verdict, std::string message) {
    if (verdict == TestCase::Verdict::failed || verdict == TestCase::Verdict::error) ++failed_;
    if (tests_.size() == kTestsMax) return;
    message.resize(std::min(message.size(), kMessageBytesMax));
    tests_.push_back(
        {sanitize_utf8(values_["class"]), sanitize_utf8(values_["test"]), verdict, sanitize_utf8(message)});
}

void InstrumentParser::finish() {
    if (!open_.empty()) feed("\n");
    if (running_) add(TestCase::Verdict::error, crash_.empty() ? "the test did not end" : crash_);
    const auto all = tests_.size();
    if (!crash_.empty()) {
        problem_ = fmt::format("instrument: {}", sanitize_utf8(crash_));
    } else if (failed_ > 0) {
        problem_ = fmt::format("instrument: {} of {} failed", failed_, counted(all, "test"));
    } else if (!code_) {
        problem_ = "instrument: it did not end: no INSTRUMENTATION_CODE";
    } else if (*code_ != kAllRan) {
        problem_ = fmt::format("instrument: INSTRUMENTATION_CODE {}", *code_);
    } else if (all == 0) {
        problem_ = "instrument: no test ran";
    }
}

}  // namespace drover::job
