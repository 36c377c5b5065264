#include "job/steps/instrument_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/counted.hpp"
#include "base/utf8.hpp"
#include "job/value.hpp"

namespace drover::job {
namespace {

constexpr std::string_view kStatus = "INSTRUMENTATION_STATUS: ", kStatusCode = "INSTRUMENTATION_STATUS_CODE: ",
                           kResult = "INSTRUMENTATION_RESULT: ", kCode = "INSTRUMENTATION_CODE: ",
                           kFailed = "INSTRUMENTATION_FAILED: ", kAborted = "INSTRUMENTATION_ABORTED: ";
// What the status codes mean: android.app.Instrumentation and AndroidJUnitRunner. Any other is an error.
constexpr std::int64_t kStarted = 1, kOk = 0, kError = -1, kFailure = -2, kIgnored = -3, kAssumption = -4;
constexpr std::int64_t kAllRan = -1;  // Activity.RESULT_OK

// A copy without room to spare.
std::string limited(std::string_view raw, std::size_t max) {
    const auto text = sanitize_utf8(raw);
    return text.substr(0, utf8_floor(text, max));
}

// KEY=VALUE; without a = the value is empty.
std::pair<std::string_view, std::string_view> entry(std::string_view text) {
    const auto equals = std::min(text.find('='), text.size());
    return {text.substr(0, equals), text.substr(std::min(equals + 1, text.size()))};
}

}  // namespace

void InstrumentParser::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        open_ += bytes.substr(0, std::min(end, kLineBytesMax + 1 - open_.size()));
        if (end == std::string_view::npos) return;
        if (open_.ends_with('\r')) open_.pop_back();
        line_cut_ = open_.size() > kLineBytesMax;
        line(std::string_view(open_).substr(0, kLineBytesMax));
        open_.clear();
        bytes.remove_prefix(end + 1);
    }
}

void InstrumentParser::line(std::string_view text) {
    const auto after = [&](std::string_view prefix) { return text.substr(prefix.size()); };
    if (text.starts_with(kStatus)) return value(after(kStatus));
    if (text.starts_with(kResult)) return result(after(kResult));
    if (text.starts_with(kStatusCode)) return status(to_number(after(kStatusCode)).value_or(kError));
    if (text.starts_with(kCode)) {
        more_ = nullptr;
        code_ = to_number(after(kCode)).value_or(0);
        return;
    }
    for (const auto prefix : {kFailed, kAborted}) {
        if (text.starts_with(prefix)) crash(after(prefix));
    }
    if (!more_) return;
    (this->*more_).add("\n");
    (this->*more_).add(text);
    (this->*more_).cut |= line_cut_;
}

void InstrumentParser::value(std::string_view text) {
    const auto [key, value] = entry(text);
    more_ = key == "class"   ? &InstrumentParser::suite_
            : key == "test"  ? &InstrumentParser::name_
            : key == "stack" ? &InstrumentParser::stack_
                             : nullptr;
    if (!more_) return;
    (this->*more_).clear();
    (this->*more_).add(value);
    (this->*more_).cut |= line_cut_;
}

void InstrumentParser::result(std::string_view text) {
    more_ = nullptr;
    const auto [key, value] = entry(text);
    if (key == "shortMsg" || key == "longMsg") crash(value);
}

void InstrumentParser::crash(std::string_view why) {
    crash_.clear();
    crash_.add(why);
    crash_.cut |= line_cut_;
}

// Secrets are masked before more is cut, and one that a cut went through is not shown in part.
std::string InstrumentParser::shown(const Value& value, std::size_t max) const {
    return limited(value.cut ? secrets_.masked_cut(value.text) : secrets_.masked(value.text), max);
}

void InstrumentParser::status(std::int64_t code) {
    more_ = nullptr;
    running_ = code == kStarted;
    if (running_) return;
    switch (code) {
        case kOk: add(TestCase::Verdict::passed, Value{0}); break;
        case kFailure: add(TestCase::Verdict::failed, stack_); break;
        case kIgnored:
        case kAssumption: add(TestCase::Verdict::skipped, stack_); break;
        default: add(TestCase::Verdict::error, stack_); break;
    }
    for (auto* value : {&suite_, &name_, &stack_}) value->clear();
}

void InstrumentParser::add(TestCase::Verdict verdict, const Value& message) {
    ++ended_;
    if (verdict == TestCase::Verdict::failed || verdict == TestCase::Verdict::error) ++failed_;
    if (tests_.size() == kTestsMax) return;
    auto text = shown(message, std::min(kMessageBytesMax, kMessagesBytesMax - message_bytes_));
    message_bytes_ += text.size();
    tests_.push_back({shown(suite_, kNameBytesMax), shown(name_, kNameBytesMax), verdict, std::move(text)});
}

void InstrumentParser::finish() {
    if (!open_.empty()) feed("\n");
    if (running_)
        add(TestCase::Verdict::error, crash_.text.empty() ? Value{kLineBytesMax, "the test did not end"} : crash_);
    if (!crash_.text.empty()) {
        problem_ = "instrument: " + shown(crash_, kProblemBytesMax - 12);
    } else if (failed_ > 0) {
        problem_ = fmt::format("instrument: {} of {} failed", failed_, counted(ended_, "test"));
    } else if (!code_) {
        problem_ = "instrument: it did not end: no INSTRUMENTATION_CODE";
    } else if (*code_ != kAllRan) {
        problem_ = fmt::format("instrument: INSTRUMENTATION_CODE {}", *code_);
    } else if (ended_ == 0) {
        problem_ = "instrument: no test ran";
    }
}

}  // namespace drover::job
