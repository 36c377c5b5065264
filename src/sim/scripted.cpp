#include "sim/scripted.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/ascii.hpp"

namespace drover::sim {
namespace {

bool plain(char c) { return is_alnum(c) || std::string_view(" _.,:/@%+-").find(c) != std::string_view::npos; }

template <class T>
std::optional<T> number(std::string_view text, T max) {
    T value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > max) return std::nullopt;
    return value;
}

constexpr std::uint64_t kPatternBytesMax = std::uint64_t{1} << 40;
constexpr std::uint32_t kSleepSecondsMax = 86'400;

}  // namespace

std::optional<std::vector<std::string_view>> plain_words(std::string_view command) {
    if (!std::all_of(command.begin(), command.end(), plain)) return std::nullopt;
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at < command.size();) {
        const std::size_t end = std::min(command.find(' ', at), command.size());
        if (end > at) words.push_back(command.substr(at, end - at));
        at = end + 1;
    }
    if (words.empty()) return std::nullopt;
    return words;
}

std::optional<Scripted> scripted_words(const std::vector<std::string_view>& words) {
    const std::string_view name = words[0];
    const std::size_t arguments = words.size() - 1;
    Scripted reply;
    if (name == "true" && arguments == 0) return reply;
    if (name == "false" && arguments == 0) {
        reply.exit_code = 1;
        return reply;
    }
    if (name == "exit" && arguments == 1) {
        const auto code = number<std::uint32_t>(words[1], 255);
        if (!code) return std::nullopt;
        reply.exit_code = static_cast<std::uint8_t>(*code);
        return reply;
    }
    if (name == "echo" && (arguments == 0 || words[1].front() != '-')) {
        for (std::size_t i = 1; i < words.size(); ++i) {
            if (i > 1) reply.text += ' ';
            reply.text += words[i];
        }
        reply.text += '\n';
        return reply;
    }
    if (name == "sleep" && arguments == 1) {
        const auto seconds = number<std::uint32_t>(words[1], kSleepSecondsMax);
        if (!seconds) return std::nullopt;
        reply.delay = std::chrono::seconds(*seconds);
        return reply;
    }
    if (name == "sim-output" && (arguments == 1 || arguments == 2)) {
        const auto bytes = number<std::uint64_t>(words[1], kPatternBytesMax);
        const auto speed = arguments == 2 ? number<std::uint64_t>(words[2], kPatternBytesMax) : 0;
        if (!bytes || !speed) return std::nullopt;
        reply.pattern_bytes = *bytes;
        reply.bytes_per_second = *speed;
        return reply;
    }
    return std::nullopt;
}

ScriptedService::ScriptedService(Loop& loop, Port& port, Scripted reply, Millis delay, ShellOutput::Options options,
                                 const CommandFaults& faults)
    : loop_(loop),
      port_(port),
      reply_(std::move(reply)),
      delay_(delay + reply_.delay),
      output_(port, options, faults),
      timer_(Timer::calls<&ScriptedService::on_due>(*this)) {}

void ScriptedService::start() {
    if (delay_.count() > 0) {
        loop_.arm_after(timer_, delay_);
    } else {
        on_due();
    }
}

void ScriptedService::on_due() {
    if (!due_) {
        due_ = true;
        begun_ = loop_.now();
    }
    produce();
}

void ScriptedService::on_can_write() {
    if (due_) produce();
}

void ScriptedService::on_closed() { timer_.cancel(); }

std::uint64_t ScriptedService::allowed() const {
    if (reply_.bytes_per_second == 0) return reply_.pattern_bytes;
    const std::chrono::duration<double> passed = loop_.now() - begun_;
    const double bytes = passed.count() * static_cast<double>(reply_.bytes_per_second);
    return std::min(reply_.pattern_bytes, static_cast<std::uint64_t>(bytes));
}

void ScriptedService::produce() {
    for (;;) {
        if (!text_added_ && output_.room() > 0) {
            text_added_ = true;
            output_.add(ShellId::out, as_bytes(reply_.text));
        }
        const std::uint64_t wanted = std::min<std::uint64_t>(allowed() - produced_, output_.room());
        if (wanted > 0) {
            std::vector<std::uint8_t> chunk(static_cast<std::size_t>(wanted));
            fill_pattern(produced_, chunk);
            output_.add(ShellId::out, chunk);
            produced_ += wanted;
        }
        if (text_added_ && produced_ == reply_.pattern_bytes && !output_.finished()) output_.finish(reply_.exit_code);
        if (!output_.pump()) return;
        if (output_.finished() || output_.room() == 0 || (wanted == 0 && text_added_)) break;
    }
    // At a given speed the clock asks again; else the client's acknowledgement does.
    constexpr Millis kPace{20};
    if (reply_.bytes_per_second != 0 && produced_ < reply_.pattern_bytes) loop_.arm_after(timer_, kPace);
}

}  // namespace drover::sim
