// Reads what `am instrument -r` prints: which tests ran, and how each ended. Its exit code says nothing: it is 0 when
// tests fail, and when the app crashes. Pure; one thread; bounded by the limits below, whatever a phone prints. How the
// bytes are split does not matter.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drover/row.hpp"
#include "job/secrets.hpp"

namespace drover::job {

class InstrumentParser {
public:
    // Without its end; the rest of a longer one is dropped.
    static constexpr std::size_t kLineBytesMax = 64 * 1024;
    // Later ones are counted, not kept.
    static constexpr std::size_t kTestsMax = 10'000;
    // Of a class and of a test; the rest is dropped. Keys that are not read are not kept.
    static constexpr std::size_t kNameBytesMax = 512;
    // Of one test's stack trace; the rest is dropped.
    static constexpr std::size_t kMessageBytesMax = 16 * 1024;
    // Of all tests together; past it tests are kept without a message.
    static constexpr std::size_t kMessagesBytesMax = 4 * 1024 * 1024;
    static constexpr std::size_t kProblemBytesMax = kLineBytesMax;

    explicit InstrumentParser(Secrets secrets = {}) : secrets_(std::move(secrets)) {}

    void feed(std::string_view bytes);
    // The end of the output. Tests in the order they ran; one that began and never ended is an error.
    void finish();

    const std::vector<TestCase>& tests() const { return tests_; }
    // Empty: all ran, and all passed or were skipped.
    const std::string& problem() const { return problem_; }

private:
    struct Value {
        std::size_t max;
        std::string text = {};
        bool cut = false;
        void clear() { text.clear(), cut = false; }
        void add(std::string_view more) {
            cut = cut || more.size() > max - text.size();
            text += more.substr(0, max - text.size());
        }
    };

    void line(std::string_view text);
    void value(std::string_view text);
    void result(std::string_view text);
    void crash(std::string_view why);
    void status(std::int64_t code);
    void add(TestCase::Verdict verdict, const Value& message);
    std::string shown(const Value& value, std::size_t max) const;

    const Secrets secrets_;
    std::string open_;  // the unfinished line; at its limit one byte more, which may be the carriage return of its end
    Value suite_{kNameBytesMax}, name_{kNameBytesMax}, stack_{kMessageBytesMax};
    Value InstrumentParser::*more_ = nullptr;  // what more lines may belong to
    bool line_cut_ = false;
    bool running_ = false;  // a test has begun
    std::optional<std::int64_t> code_;
    Value crash_{kLineBytesMax};
    std::size_t ended_ = 0, failed_ = 0;
    std::size_t message_bytes_ = 0;
    std::vector<TestCase> tests_;
    std::string problem_;
};

}  // namespace drover::job
