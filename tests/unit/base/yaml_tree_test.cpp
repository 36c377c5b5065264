#include "base/yaml_tree.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace drover::yaml {
namespace {

const Source kTreeSource{"f.yaml", Code::bad_job, kFileBytesMax};

Node good(std::string_view text) {
    auto tree = parse(text, kTreeSource);
    if (!tree) {
        ADD_FAILURE() << tree.error().message;
        return {};
    }
    return *tree;
}

std::string bad(std::string_view text, const Source& source = kTreeSource) {
    const auto tree = parse(text, source);
    if (tree) return "(accepted)";
    EXPECT_EQ(tree.error().code, source.code);
    return tree.error().message;
}

TEST(YamlTree, KeepsKindsMarksAndQuotes) {
    const Node root = good("a: on\nb: 'on'\nc:\n  - |\n    x\n  - {d: 012}\n\xC3\xA9t\xC3\xA9: [~, \xC3\xA9, z]\n");
    ASSERT_TRUE(root.is_map());
    ASSERT_EQ(root.entries.size(), 4U);
    EXPECT_EQ(root.find("a")->value.text, "on");
    EXPECT_TRUE(root.find("a")->value.plain);
    EXPECT_FALSE(root.find("b")->value.plain);
    const Node& list = root.find("c")->value;
    ASSERT_TRUE(list.is_sequence());
    EXPECT_EQ(list.mark, (Mark{4, 3}));
    EXPECT_EQ(list.items[0].text, "x\n");
    EXPECT_FALSE(list.items[0].plain);
    EXPECT_EQ(list.items[1].find("d")->value.text, "012");
    const Entry* summer = root.find("\xC3\xA9t\xC3\xA9");
    ASSERT_NE(summer, nullptr);
    EXPECT_EQ(summer->key_mark, (Mark{7, 1}));
    EXPECT_EQ(summer->value.items[0].kind, Kind::null);
    EXPECT_EQ(summer->value.items[2].mark, (Mark{7, 13}));  // characters, not bytes
    EXPECT_EQ(root.find("nope"), nullptr);
}

TEST(YamlTree, AcceptsByteOrderMarkCrlfAndEmpty) {
    const Node root = good(
        "\xEF\xBB\xBF"
        "a: 1\r\nb: 2\r\n");
    EXPECT_EQ(root.find("b")->key_mark, (Mark{2, 1}));
    EXPECT_EQ(root.find("a")->value.mark, (Mark{1, 4}));
    EXPECT_EQ(good("").kind, Kind::null);
    EXPECT_EQ(good("# nothing\n").kind, Kind::null);
    EXPECT_EQ(good("---\na: 1\n...\n").find("a")->value.text, "1");
}

TEST(YamlTree, AnAliasStandsWhereItIsUsed) {
    const Node root = good("a: &x [p, q]\nb: *x\nc: &y 'on'\nd: *y\n");
    const Node& alias = root.find("b")->value;
    EXPECT_EQ(alias.mark, (Mark{2, 4}));
    ASSERT_EQ(alias.items.size(), 2U);
    EXPECT_EQ(alias.items[1].mark, (Mark{1, 11}));
    EXPECT_FALSE(root.find("d")->value.plain);
}

TEST(YamlTree, RefusesWithPosition) {
    const struct {
        std::string_view text, message;
    } kCases[] = {
        {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key 'a' stands here a second time; the first is in line 1"},
        {"x:\n  {k: 1, k: 2}\n", "f.yaml:2:10: the key 'k' stands here a second time; the first is in line 2"},
        {"a: 'b\nc: d\n", "f.yaml:1:4: this quote is never closed"},
        {"a: \"b\\\"\nc: d\n", "f.yaml:1:4: this quote is never closed"},
        {"a: &x # why\n  'b\n", "f.yaml:1:4: this quote is never closed"},
        {"a: 'b", "f.yaml:1:6: the file ends inside a quoted text"},
        {"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document: a file holds one"},
        {"a: 1\n...\nb: 2\n", "f.yaml:3:1: this does not fit what stands before it: check the indentation"},
        {"- a\nb: 2\n", "f.yaml:2:1: this does not fit what stands before it: check the indentation"},
        {"steps: [{run: true}\n", "f.yaml:1:8: this '[' is never closed"},
        {"a: 1\nb: [[[\n", "f.yaml:2:6: this '[' is never closed"},
        {"a: 1\nsteps: [{run: true}", "f.yaml:2:8: this '[' is never closed"},
        {"? [a]\n: b\n", "f.yaml:1:3: a key must be a text"},
        {"? {a: b}\n: b\n", "f.yaml:1:3: a key must be a text"},
        {"a: {{ x }}\n", "f.yaml:1:5: a key must be a text; a text that begins with '{{' needs quotes"},
        {"a: &x [1]\n*x : 2\n", "f.yaml:2:1: a key must be a text"},
        {": x\n", "f.yaml:1:1: a key is missing here"},
        {"~: x\n", "f.yaml:1:1: a key is missing here"},
        {"&k a: x\n", "f.yaml:1:1: an anchor cannot stand before a key: put it before the value"},
        {"a: !!str 1\n", "f.yaml:1:4: tags are not supported; a text that begins with '!' needs quotes"},
        {"a: ! x\n", "f.yaml:1:4: tags are not supported; a text that begins with '!' needs quotes"},
        {"a: &q !x {}\n", "f.yaml:1:4: tags are not supported; a text that begins with '!' needs quotes"},
        {"a: &x 1\nb:\n  <<: *x\n", "f.yaml:3:3: merge keys ('<<') are not supported"},
        {"a: &x [*x]\n", "f.yaml:1:8: this alias stands inside its own anchor"},
        {"a: *x\n", "f.yaml:1:4: this alias has no anchor before it; a text that begins with '*' needs quotes"},
        {"a: b: c\n",
         "f.yaml:1:5: a ':' cannot stand here: check the indentation; a text with ': ' in it needs quotes"},
        {"a:\n\t- x\n", "f.yaml:2:2: a tab cannot indent a line: use spaces"},
        {"a: @x\n", "f.yaml:1:4: a text cannot begin with this character: put it in quotes"},
        {"a: [1\n", "f.yaml:1:4: this '[' is never closed"},
        {"a: 1\n- b\n", "f.yaml:2:1: this does not fit the map around it: check the indentation and the quotes"},
        {"a: \"\\q\"\n", "f.yaml:1:7: not valid YAML: unknown escape character: q"},
        {"a: 1\rb: 2\n", "f.yaml:1:5: a carriage return without a line feed"},
        {"a: \x1B[0m\n", "f.yaml:1:4: control character 0x1B"},
        {"a: b\nc: \xC3\xA9\xFF\n", "f.yaml:2:5: byte 0xFF is not UTF-8"},
        {"a: \xED\xA0\x80\n", "f.yaml:1:4: byte 0xED is not UTF-8"},
        {"\xFF\xFE"
         "a\n",
         "f.yaml:1:1: byte 0xFF is not UTF-8"},
    };
    for (const auto& c : kCases) EXPECT_EQ(bad(c.text), c.message) << c.text;
    EXPECT_EQ(bad(std::string_view("a: b\0c\n", 7)), "f.yaml:1:5: control character 0x00");
}

TEST(YamlTree, LimitsSizeDepthNodesAndAliases) {
    EXPECT_EQ(bad("a: 12345\n", Source{"s.yaml", Code::bad_profile, 8}), "s.yaml: larger than 8 bytes");
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']') + "\n"; };
    good(nested(kDepthMax));
    EXPECT_EQ(bad(nested(kDepthMax + 1)), "f.yaml:1:33: more than 32 levels deep");
    std::string dashes;
    for (int i = 0; i < 100'000; ++i) dashes += "- ";
    EXPECT_EQ(bad(dashes), "f.yaml:1:65: more than 32 levels deep");
    for (const std::string_view piece : {"[", "{", "? ", "a: {", "- [", "&a [", "{a,", "[[],"}) {
        std::string text;
        for (int i = 0; i < 100'000; ++i) text += piece;
        EXPECT_NE(bad(text), "(accepted)") << piece;
    }

    std::string deep = "a: &a " + std::string(20, '[') + std::string(20, ']') + "\nb: " + std::string(20, '[') + "*a" +
                       std::string(20, ']') + "\n";
    EXPECT_EQ(bad(deep), "f.yaml:2:24: more than 32 levels deep");

    std::string many = "a: &a x\nb: [";
    for (std::size_t i = 0; i <= kAliasesMax; ++i) many += "*a,";
    EXPECT_NE(bad(many + "]\n").find("more than 1000 aliases"), std::string::npos);

    // Each line ten times the one before: ten thousand million nodes if it were expanded.
    std::string bomb = "l0: &l0 lol\n";
    for (int i = 1; i <= 10; ++i) {
        bomb += fmt::format("l{}: &l{} [", i, i);
        for (int k = 0; k < 10; ++k) bomb += fmt::format("*l{},", i - 1);
        bomb += "]\n";
    }
    const std::string stopped = bad(bomb);
    EXPECT_NE(stopped.find("more than 1000000 values"), std::string::npos) << stopped;

    std::string wide = "a: &a '" + std::string(100'000, 'x') + "'\nb: [";
    for (int i = 0; i < 100; ++i) wide += "*a,";
    EXPECT_NE(bad(wide + "]\n").find("too much text once its aliases are expanded"), std::string::npos);

    EXPECT_NE(bad("? " + std::string(2000, 'k') + "\n: v\n").find("a key of more than 1024 bytes"), std::string::npos);
}

TEST(YamlTree, ManyKeysInOneLineAreNotQuadratic) {
    std::string text = "{";
    for (int i = 0; i < 50'000; ++i) text += fmt::format("k{}: v, ", i);
    EXPECT_EQ(good(text + "}\n").entries.size(), 50'000U);
}

TEST(YamlTree, LoadsFilesAndSaysWhyItCannot) {
    const std::filesystem::path dir = testing::TempDir();
    const std::string file = (dir / "yaml_tree_test.yaml").string();
    std::ofstream(file) << "a: 1\n";
    const auto tree = load(Source{file, Code::bad_inventory, kFileBytesMax});
    ASSERT_TRUE(tree) << tree.error().message;
    EXPECT_EQ(tree->find("a")->value.text, "1");
    std::filesystem::remove(file);
    const auto gone = load(Source{file, Code::bad_inventory, kFileBytesMax});
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, Code::bad_inventory);
    EXPECT_EQ(gone.error().message, file + ": No such file or directory");
    EXPECT_EQ(load(Source{dir.string(), Code::bad_inventory, kFileBytesMax}).error().message,
              dir.string() + ": Is a directory");
    EXPECT_EQ(load(Source{"/dev/zero", Code::bad_inventory, 100}).error().message, "/dev/zero: larger than 100 bytes");
}

TEST(YamlTree, QuoteSurvivesItsOwnReader) {
    EXPECT_EQ(quote("rack1-01"), "rack1-01");
    EXPECT_EQ(quote("yes"), "'yes'");
    EXPECT_EQ(quote("012"), "'012'");
    EXPECT_EQ(quote("it's"), "'it''s'");
    for (const std::string_view text : {"", " ", "a: b", "# x", "it's", "null", "~", "a\nb\t\x01\\\"", "*x", "!y",
                                        "[z]", "- a", "'", "\xC3\xA9\x7F", "a #b", "1e3"}) {
        const Node root = good("k: " + quote(text) + "\n");
        ASSERT_TRUE(root.find("k")->value.is_scalar()) << text;
        EXPECT_EQ(root.find("k")->value.text, text);
    }
}

}  // namespace
}  // namespace drover::yaml
