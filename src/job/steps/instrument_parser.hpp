// Reads what `am instrument -r` prints: which tests ran, and how each ended. Its exit code says nothing: it is 0 when tests fail,
// and when the app crashes. Pure; one thread; bounded by the limits below.
#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drover/row.hpp"

namespace drover::job {

class InstrumentParser {
public:
    static constexpr std::size_t kLineBytesMax = 64 * 1024;
    static constexpr std::size_t kTestsMax = 10'000;
    static constexpr std::size_t kMessageBytesMax = 16 * 1024;  // of one test's stack trace

    void feed(std::string_view bytes);
    // The end of the output. Tests in the order they ran; one that began and never ended is an error.
    void finish();

    const std::vector<TestCase>& tests() const { return tests_; }
    // Empty: all ran, and all passed or were skipped.
    const std::string& problem() const { return problem_; }

private:
    void line(std::string_view text);
    void value(std::string_view text);
    void status(int code);
    void add(TestCase::Verdict verdict, std::string message);

    std::string open_;       // the unfinished line
    bool skipping_ = false;  // the rest of a line that is too long
    std::map<std::string, std::string, std::less<>> values_;
    std::string key_;  // the value that more lines may belong to
    bool in_result_ = false;
    bool running_ = false;  // a test has begun
    std::optional<int> code_;
    std::string crash_;
    std::size_t failed_ = 0;
    std::vector<TestCase> tests_;
    std::string problem_;
};

}  // namespace drover::job
