// How often a repeated or randomized test repeats: DROVER_TEST_ROUNDS, or what the test asks for. Any thread.
#pragma once
#include <cstdlib>

namespace drover::test {

// 1 or more. An unusable DROVER_TEST_ROUNDS counts as not set.
inline unsigned rounds(unsigned normally) {
    const char* text = std::getenv("DROVER_TEST_ROUNDS");
    const long given = text ? std::strtol(text, nullptr, 10) : 0;
    return given > 0 && given <= 1'000'000 ? static_cast<unsigned>(given) : normally;
}

}  // namespace drover::test
