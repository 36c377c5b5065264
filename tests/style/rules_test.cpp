// Each rule must be able to find what it is for, and must leave good code alone.
#include "style/rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::style {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Arrows, PointBackOnly) {
    EXPECT_THAT(
        arrows({"src/fleet/phone.cpp", "#include \"fleet/phone.hpp\"\n#include \"adb/link.hpp\"\n#include <vector>\n"}),
        IsEmpty());
    EXPECT_THAT(arrows({"src/adb/link.cpp", "#include <vector>\n#include \"fleet/phone.hpp\"\n"}),
                ElementsAre("src/adb/link.cpp:2: room adb may not include room fleet"));
    EXPECT_THAT(arrows({"src/cli/main.cpp", "#include \"job/run.hpp\"\n"}), IsEmpty());
}

TEST(Arrows, SimKnowsOnlyBaseAndAdb) {
    EXPECT_THAT(arrows({"src/sim/phone.cpp", "#include \"adb/link.hpp\"\n#include \"base/bytes.hpp\"\n"}), IsEmpty());
    EXPECT_THAT(arrows({"src/fleet/phone.cpp", "#include \"sim/phone.hpp\"\n"}), IsEmpty());
    EXPECT_THAT(arrows({"src/sim/phone.cpp", "#include \"net/http.hpp\"\n"}), SizeIs(1));
}

TEST(Arrows, UnknownRoomsAndBareNamesAreFound) {
    EXPECT_THAT(arrows({"src/garage/car.cpp", ""}), SizeIs(1));
    EXPECT_THAT(arrows({"src/adb/link.cpp", "#include \"link.hpp\"\n"}), SizeIs(1));
}

TEST(PublicIncludes, NoBoostAndNothingPrivate) {
    EXPECT_THAT(public_includes({"include/drover/row.hpp", "#include <string>\n#include \"drover/error.hpp\"\n"}),
                IsEmpty());
    EXPECT_THAT(public_includes({"include/drover/row.hpp", "#include <boost/asio.hpp>\n"}), SizeIs(1));
    EXPECT_THAT(public_includes({"include/drover/row.hpp", "#include \"base/bytes.hpp\"\n"}), SizeIs(1));
    EXPECT_THAT(public_includes({"src/base/loop_pool.hpp", "#include <boost/asio.hpp>\n"}), IsEmpty());
}

TEST(HeaderForm, CommentFirstAndPragmaOnce) {
    EXPECT_THAT(header_form({"src/base/a.hpp", "// What it is.\n#pragma once\n"}), IsEmpty());
    EXPECT_THAT(header_form({"src/base/a.hpp", "#pragma once\nint x;\n"}), SizeIs(2));
    EXPECT_THAT(header_form({"src/base/a.cpp", "int x;\n"}), IsEmpty());
}

TEST(Lengths, OfFilesAndLines) {
    std::string long_file;
    for (std::size_t i = 0; i < kFileLinesMax; ++i) long_file += "\n";
    EXPECT_THAT(lengths({"src/base/a.cpp", long_file}), IsEmpty());
    EXPECT_THAT(lengths({"src/base/a.cpp", long_file + "\n"}), SizeIs(1));
    EXPECT_THAT(lengths({"src/base/a.cpp", std::string(kColumnsMax, 'x')}), IsEmpty());
    EXPECT_THAT(lengths({"src/base/a.cpp", "\n" + std::string(kColumnsMax + 1, 'x')}),
                ElementsAre("src/base/a.cpp:2: 151 columns, over 150"));
    std::string accents;
    for (std::size_t i = 0; i < kColumnsMax; ++i) accents += "é";
    EXPECT_THAT(lengths({"src/base/a.cpp", accents}), IsEmpty()) << "columns are characters, not bytes";
}

TEST(Leftovers, AreFoundAsWholeWords) {
    EXPECT_THAT(leftovers({"src/base/a.cpp", std::string("int x;  // TO") + "DO later\n"}), SizeIs(1));
    EXPECT_THAT(leftovers({"src/base/a.cpp", "make_temp(\"dir-XXXXXX\");\n"}), IsEmpty());
}

TEST(BracesInCoAwait, AreFound) {
    const auto count = [](std::string text) { return braces_in_co_await({"src/job/a.cpp", std::move(text)}).size(); };
    EXPECT_EQ(count("co_await run(Options{1, 2});"), 1u);
    EXPECT_EQ(count("co_await run(loop,\n             {1, 2});"), 1u);
    EXPECT_EQ(count("auto r = co_await phone.run(std::optional<Options>{o});"), 1u);
    EXPECT_EQ(count("co_await run(options);\nf(Options{1});"), 0u) << "the next statement";
    EXPECT_EQ(count("co_await run([&] { return 1; });"), 0u) << "a lambda is not a temporary";
    EXPECT_EQ(count("f(Options{1});"), 0u);
    EXPECT_EQ(count("co_await phones[i].run(Options{1});"), 1u);
    EXPECT_EQ(count("co_await run([&] { return a; }, Options{1});"), 1u);
    EXPECT_EQ(count("co_await Timer{loop};"), 1u);
    EXPECT_EQ(count("co_await run(x ? Options{1} : o);"), 1u);
    EXPECT_EQ(count("co_await run([&](int x) mutable -> Result<int> { return T{x}; });"), 0u)
        << "what a lambda does is its own";
    EXPECT_EQ(count("if (co_await run(o)) {\n    f(Options{1});\n}"), 0u);
}

TEST(Copies, AreFoundHoweverTheyAreLaidOut) {
    const auto lines = [](std::size_t first, std::size_t count, std::string_view end) {
        std::string text;
        for (auto i = first; i < first + count; ++i) text += "call(" + std::to_string(i) + ");" + std::string(end);
        return text;
    };
    const auto run = lines(1, kCopiedLinesMin, "\n");
    const SourceFile original{"src/base/a.cpp", "#include <map>\n" + run};
    EXPECT_THAT(
        copies({original, {"src/base/b.cpp", "int x;\n" + lines(1, kCopiedLinesMin, "\n\n    // Why.\n}\n  ")}}),
        ElementsAre("src/base/b.cpp:2: a copy of src/base/a.cpp:2: keep it in one place"));
    EXPECT_THAT(copies({{"src/base/a.cpp", run + "int x;\n" + run}}), SizeIs(1)) << "within a file";
    const auto long_run = lines(1, 2 * kCopiedLinesMin - 1, "\n");
    EXPECT_THAT(copies({{"src/base/a.cpp", long_run}, {"src/base/b.cpp", long_run}}), SizeIs(1)) << "told once";
    EXPECT_THAT(copies({original, {"src/base/b.cpp", lines(2, kCopiedLinesMin, "\n")}}), IsEmpty()) << "one line less";
    EXPECT_THAT(copies({original, {"tests/unit/a.cpp", run}}), IsEmpty()) << "src alone";
    std::string table;
    for (std::size_t i = 0; i < 2 * kCopiedLinesMin - 1; ++i) table += "row();\n";
    EXPECT_THAT(copies({{"src/base/a.cpp", table}}), IsEmpty()) << "a run is no copy of itself";
}

TEST(Sleeps, AreFoundInTests) {
    EXPECT_THAT(sleeps({"tests/unit/a.cpp", "std::this_thread::sleep_for(1s);\n"}), SizeIs(1));
    EXPECT_THAT(sleeps({"tests/unit/a.cpp", "sh(\"exec sleep 100\");\n"}), IsEmpty());
    EXPECT_THAT(sleeps({"src/base/a.cpp", "sleep_for(1s);\n"}), IsEmpty());
}

}  // namespace
}  // namespace drover::style
