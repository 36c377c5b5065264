// Runs the tests with the preloads that make a USB bus visible, for this process and the programs it starts.
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
    constexpr const char* kMark = "DROVER_USB_PRELOADED";
    if (!std::getenv(kMark)) {
        // A sanitizer's runtime must come first of all.
        std::string preload = DROVER_SANITIZER_RUNTIME;
        if (!preload.empty()) preload += ':';
        preload += DROVER_USB_SHIM ":libumockdev-preload.so.0";
        ::setenv("LD_PRELOAD", preload.c_str(), 1);
        ::setenv(kMark, "1", 1);
        // GLib and umockdev, in this process only, are not built with TSan, which takes their locks for none. What the programs
        // under test do is judged.
        const char* const given = std::getenv("TSAN_OPTIONS");
        const std::string options = given ? given : "";
        ::setenv("DROVER_CHILD_TSAN_OPTIONS", options.c_str(), 1);
        ::setenv("TSAN_OPTIONS", (options + ":report_bugs=0").c_str(), 1);
        ::execv("/proc/self/exe", argv);
        std::perror("test_usb: cannot start again with its preloads");
        return 1;
    }
    ::testing::InitGoogleMock(&argc, argv);
    return RUN_ALL_TESTS();
}
