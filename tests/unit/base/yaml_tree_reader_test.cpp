#include "base/yaml_tree_reader.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::yaml {
namespace {

using std::chrono_literals::operator""ms;

constexpr KeySpec kKeys[] = {{"version", true}, {"name", false}, {"timeout", false}, {"on", false},
                             {"count", false},  {"tags", false}, {"labels", false},  {"share", false}};
const Source kReaderSource{"f.yaml", Code::bad_job, kFileBytesMax};

TEST(MapReader, ReadsEveryType) {
    const Node root = *parse(
        "version: 1\nname: 'x'\ntimeout: 1.5s\non: true\ncount: -3\ntags: [a, 012]\nlabels: {k: v, 'l': 'on'}\nshare: "
        "0.25\n",
        kReaderSource);
    Problems problems(kReaderSource);
    const MapReader map(root, "", kKeys, problems);
    EXPECT_EQ(map.integer("version", 1, 1), 1);
    EXPECT_EQ(map.string("name"), "x");
    EXPECT_EQ(map.duration("timeout"), 1500ms);
    EXPECT_EQ(map.boolean("on"), true);
    EXPECT_EQ(map.integer("count", -3, 3), -3);
    EXPECT_THAT(*map.strings("tags"), testing::ElementsAre("a", "012"));
    const auto labels = map.string_map("labels");
    ASSERT_TRUE(labels);
    EXPECT_EQ((*labels)[1].key, "l");
    EXPECT_EQ((*labels)[1].value, "on");
    EXPECT_EQ((*labels)[1].mark, (Mark{7, 21}));
    EXPECT_EQ(map.number("share", 0, 1), 0.25);
    EXPECT_EQ(map.word("name", {"x", "y"}), "x");
    EXPECT_TRUE(problems.empty());
}

TEST(MapReader, CollectsEverythingThatIsWrong) {
    const Node root = *parse(
        "nmae: a\nelephant: b\non: yes\ntimeout: 10\ncount: 99\ntags: [a, [b], ~]\nlabels: {k: {}}\nshare: "
        "'0.5'\nname:\n",
        kReaderSource);
    Problems problems(kReaderSource);
    const MapReader map(root, "steps[0]", kKeys, problems);
    EXPECT_EQ(map.boolean("on"), std::nullopt);
    EXPECT_EQ(map.duration("timeout"), std::nullopt);
    EXPECT_EQ(map.integer("count", 1, 9), std::nullopt);
    EXPECT_EQ(map.strings("tags"), std::nullopt);
    EXPECT_EQ(map.string_map("labels"), std::nullopt);
    EXPECT_EQ(map.number("share", 0, 1), std::nullopt);
    EXPECT_EQ(map.string("name"), std::nullopt);
    EXPECT_THAT(
        problems.lines(),
        testing::ElementsAre(
            "f.yaml:1:1: steps[0]: unknown key 'nmae' (did you mean 'name'?)",
            "f.yaml:1:1: steps[0]: the key 'version' is missing",
            "f.yaml:2:1: steps[0]: unknown key 'elephant': one of version, name, timeout, on, count, tags, labels, "
            "share",
            "f.yaml:3:5: steps[0].on: true or false is wanted, this is 'yes'",
            "f.yaml:4:10: steps[0].timeout: '10' is not a duration: the unit is missing (write 500ms, 10s, 5m or 2h)",
            "f.yaml:5:8: steps[0].count: a number from 1 to 9 is wanted, this is '99'",
            "f.yaml:6:11: steps[0].tags[1]: a text is wanted, this is a list",
            "f.yaml:6:16: steps[0].tags[2]: the value is missing: a text is wanted",
            "f.yaml:7:13: steps[0].labels.k: a text is wanted, this is a map",
            "f.yaml:8:8: steps[0].share: a number from 0 to 1 is wanted, this is the quoted text '0.5'",
            "f.yaml:9:1: steps[0].name: the value is missing: a text is wanted"));
    EXPECT_EQ(problems.error().code, Code::bad_job);
    EXPECT_EQ(problems.error().message,
              "f.yaml:1:1: steps[0]: unknown key 'nmae' (did you mean 'name'?) (and 10 more problems)");
    EXPECT_EQ(problems.errors().size(), 11U);
}

TEST(MapReader, AListWhereAMapIsWanted) {
    Problems problems(kReaderSource);
    const Node list = *parse("- a\n", kReaderSource);
    const MapReader map(list, "", kKeys, problems);
    EXPECT_FALSE(map.is_map());
    EXPECT_EQ(map.string("name"), std::nullopt);
    EXPECT_EQ(problems.error().message, "f.yaml:1:1: a map is wanted, this is a list");
    Problems empty(kReaderSource);
    const Node nothing = *parse("", kReaderSource);
    const MapReader none(nothing, "", kKeys, empty);
    EXPECT_EQ(empty.error().message, "f.yaml:1:1: the value is missing: a map is wanted");
}

TEST(MapReader, WordsAndNumbersThatAreNone) {
    Problems problems(kReaderSource);
    const Node root = *parse("name: tpc\ncount: 1_000\nshare: 0x10\nversion: '1'\non: 'true'\n", kReaderSource);
    const MapReader map(root, "", kKeys, problems);
    EXPECT_EQ(map.word("name", {"auto", "tcp", "usb"}), std::nullopt);
    EXPECT_EQ(map.integer("count", 0, 5000), std::nullopt);
    EXPECT_EQ(map.number("share", 0, 20), std::nullopt);
    EXPECT_EQ(map.integer("version", 1, 1), std::nullopt);
    EXPECT_EQ(map.boolean("on"), std::nullopt);
    map.problem("name", "said by the caller");
    EXPECT_THAT(
        problems.lines(),
        testing::ElementsAre("f.yaml:1:7: name: 'tpc' is not known here (did you mean 'tcp'?): one of auto, tcp, usb",
                             "f.yaml:1:7: name: said by the caller",
                             "f.yaml:2:8: count: a number from 0 to 5000 is wanted, this is '1_000'",
                             "f.yaml:3:8: share: a number from 0 to 20 is wanted, this is '0x10'",
                             "f.yaml:4:10: version: the number 1 is wanted, this is the quoted text '1'",
                             "f.yaml:5:5: on: true or false is wanted, this is the quoted text 'true'"));
}

TEST(Problems, AreBounded) {
    Problems problems(kReaderSource);
    for (std::uint32_t i = 0; i < 500; ++i) problems.add(Mark{i + 1, 1}, "bad");
    const auto lines = problems.lines();
    ASSERT_EQ(lines.size(), Problems::kProblemsMax + 1);
    EXPECT_EQ(lines.back(), "f.yaml: 450 more problems");
    EXPECT_EQ(problems.count(), 500U);
}

}  // namespace
}  // namespace drover::yaml
