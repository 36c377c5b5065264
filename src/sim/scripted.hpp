// Commands that are answered without a process, so that thousands of phones cost next to nothing.
//
// Only a whole command of plain words counts: with any character that a shell would look at, the real shell gets it.
// parse_scripted() is pure. A ScriptedService lives on the phone's loop.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/loop_pool.hpp"
#include "sim/device.hpp"
#include "sim/service.hpp"
#include "sim/shell_output.hpp"

namespace drover::sim {

struct Scripted {
    std::string text;  // stdout
    std::uint8_t exit_code = 0;
    std::uint64_t pattern_bytes = 0;     // sim-output: fill_pattern() instead of the text
    std::uint64_t bytes_per_second = 0;  // 0: as fast as the client takes it
    Millis delay{0};                     // sleep
};

// true · false · exit N · echo WORDS · getprop NAME [DEFAULT] · sleep SECONDS · sim-output BYTES [BYTES_PER_SECOND]
// `property`: how getprop reads.
template <class Property>
std::optional<Scripted> parse_scripted(std::string_view command, const Property& property);

std::optional<std::vector<std::string_view>> plain_words(std::string_view command);
std::optional<Scripted> scripted_words(const std::vector<std::string_view>& words);

class ScriptedService final : public Service {
public:
    ScriptedService(Loop& loop, Port& port, Scripted reply, Millis delay, ShellOutput::Options options,
                    const CommandFaults& faults);
    void start() override;
    void on_can_write() override;
    void on_data(ByteView bytes) override { port_.taken(bytes.size()); }
    void on_closed() override;

private:
    void on_due();
    void produce();
    std::uint64_t allowed() const;  // pattern bytes that the speed permits by now

    Loop& loop_;
    Port& port_;
    Scripted reply_;
    Millis delay_;
    ShellOutput output_;
    Timer timer_;
    TimePoint begun_{};
    std::uint64_t produced_ = 0;
    bool due_ = false;
    bool text_added_ = false;
};

template <class Property>
std::optional<Scripted> parse_scripted(std::string_view command, const Property& property) {
    const auto words = plain_words(command);
    if (!words) return std::nullopt;
    if (words->front() == "getprop") {
        if (words->size() < 2 || words->size() > 3 || !valid_property_name((*words)[1])) return std::nullopt;
        std::optional<std::string> value = property((*words)[1]);
        if (!value) return std::nullopt;
        if (value->empty() && words->size() == 3) value = std::string((*words)[2]);
        Scripted reply;
        reply.text = *value + "\n";
        return reply;
    }
    return scripted_words(*words);
}

}  // namespace drover::sim
