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
        ::execv("/proc/self/exe", argv);
        std::perror("test_usb: cannot start again with its preloads");
        return 1;
    }
    ::testing::InitGoogleMock(&argc, argv);
    return RUN_ALL_TESTS();
}
