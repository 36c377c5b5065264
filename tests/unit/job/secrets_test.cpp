// Where secrets come from, and what is none. What is masked: step_test and once_test.
#include "job/secrets.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>

#include "support/temp_dir.hpp"

namespace drover::job {
namespace {

using ::testing::HasSubstr;

class SecretSources : public ::testing::Test {
protected:
    // The masked text of "<value>", or why there is no value.
    static std::string masked(const Secret& secret, const std::string& value) {
        const auto secrets = Secrets::load({secret});
        return secrets ? secrets->masked("<" + value + ">") : secrets.error().message;
    }
    Secret file_of(std::string_view text, mode_t mode = 0600) const {
        const auto file = dir.write("secret", text);
        EXPECT_EQ(::chmod(file.c_str(), mode), 0);
        return {"TOKEN", {}, file};
    }
    Secret variable_of(const char* text) const {
        ::setenv("DROVER_TEST_SECRET", text, 1);
        return {"TOKEN", "DROVER_TEST_SECRET", {}};
    }

    test::TempDir dir;
};

TEST_F(SecretSources, AFileWithoutTheEndOfItsLine) {
    EXPECT_EQ(masked(file_of("hunter22\n"), "hunter22"), "<***>");
    EXPECT_EQ(masked(file_of("hunter22"), "hunter22"), "<***>");
    EXPECT_EQ(masked(file_of("hunter22\n\n"), "hunter22\n"), "<***>");
}

TEST_F(SecretSources, AFileThatOthersCanReadIsRefused) {
    for (const mode_t mode : {0640, 0604, 0620, 0601}) {
        EXPECT_THAT(masked(file_of("hunter22", mode), ""), HasSubstr("can be read by others; chmod 600 it"));
    }
}

TEST_F(SecretSources, WhatIsNotThereIsToldByName) {
    ::unsetenv("DROVER_TEST_NO_SECRET");
    EXPECT_EQ(masked({"TOKEN", "DROVER_TEST_NO_SECRET", {}}, ""),
              "secrets.TOKEN: the environment has no DROVER_TEST_NO_SECRET");
    EXPECT_THAT(masked({"TOKEN", {}, dir / "none"}, ""), HasSubstr("No such file or directory"));
}

TEST_F(SecretSources, TooShortOrTooLongIsNone) {
    const std::string why = "secrets.TOKEN: a secret has 4 to 16384 bytes, none of them NUL";
    EXPECT_EQ(masked(variable_of("abc"), "abc"), why);
    EXPECT_EQ(masked(file_of(std::string("ab\0cd", 5)), ""), why);
    const std::string most(Secrets::kBytesMax, 'x');
    EXPECT_EQ(masked(variable_of(most.c_str()), most), "<***>");
    EXPECT_EQ(masked(variable_of((most + "x").c_str()), ""), why);
}

}  // namespace
}  // namespace drover::job
