// With which sanitizer these tests are built: g++ and clang tell it in ways of their own.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define DROVER_TEST_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define DROVER_TEST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DROVER_TEST_ASAN 1
#elif __has_feature(thread_sanitizer)
#define DROVER_TEST_TSAN 1
#endif
#endif

namespace drover::test {

#ifdef DROVER_TEST_ASAN
constexpr bool kAddressSanitizer = true;  // and UBSan with it
#else
constexpr bool kAddressSanitizer = false;
#endif
#ifdef DROVER_TEST_TSAN
constexpr bool kThreadSanitizer = true;
#else
constexpr bool kThreadSanitizer = false;
#endif
constexpr bool kSanitized = kAddressSanitizer || kThreadSanitizer;

}  // namespace drover::test
