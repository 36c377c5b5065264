#include "job/template.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "support/process.hpp"

namespace drover::job {
namespace {

using Vars = std::map<std::string, std::string>;
const Vars kVars{{"pkg", "com.x"}, {"quote", "it's"}, {"empty", ""}, {"evil", "$(touch x); `y` \"z\" \\ * | & \n#"}};

Instance labelled_phone() {
    Instance out;
    out.id = "r-01";
    out.serial = "S 1";
    out.labels = {{"a.b/c", "v"}};
    return out;
}

NameTable names_of(const Vars& vars) {
    NameTable names;
    for (const auto& [name, value] : vars)
        names.vars.emplace(name, std::make_shared<const Template>(Template::literal(value)));
    return names;
}

std::string expanded(std::string_view text, Template::Use use = Template::Use::shell, const Vars& vars = kVars) {
    const auto parsed = Template::parse(text, use, names_of(vars));
    if (!parsed) return std::to_string(parsed.error()[0].opening) + ": " + parsed.error()[0].message;
    const Instance instance = labelled_phone();
    const auto out = parsed->expand(Scope{instance, {}, {}, {}, {}, "", Standing::good});
    return out ? *out : out.error();
}

TEST(Template, PutsValuesInAsOneWord) {
    EXPECT_EQ(expanded("plain $x } }} {"), "plain $x } }} {");
    EXPECT_EQ(expanded("a {{ pkg }} b"), "a 'com.x' b");
    EXPECT_EQ(expanded("{{pkg}}{{  pkg\t}}"), "'com.x''com.x'");
    EXPECT_EQ(expanded("x={{ quote }}"), R"(x='it'\''s')");
    EXPECT_EQ(expanded("f {{ empty }}"), "f ''");
    EXPECT_EQ(expanded("{{ instance }} {{ serial }} {{ labels.a.b/c }}"), "'r-01' 'S 1' 'v'");
    EXPECT_EQ(expanded("{{ raw(pkg) }} {{ raw( serial ) }}"), "com.x S 1");
    EXPECT_EQ(expanded("awk {{ '{{' }} {{pkg}}"), "awk {{ 'com.x'");
    EXPECT_EQ(expanded("{{ labels.none }}"), "r-01 has no value for {{ labels.none }}");
    EXPECT_EQ(expanded("{{ quote }} {{ instance }}", Template::Use::plain), "it's r-01");
}

TEST(Template, SaysWhatIsWrong) {
    const std::string inside =
        "a value is quoted by itself and cannot stand inside quotes, ${..} or a comment: take them away, or write "
        "{{ raw(pkg) }}";
    EXPECT_EQ(expanded("{{ pgk }}"), "0: no var 'pgk' (did you mean 'pkg'?)");
    EXPECT_EQ(expanded("{{ pkg }} {{ instanze }}"), "1: no var 'instanze' (did you mean 'instance'?)");
    EXPECT_EQ(
        expanded("{{ xyzzy }}"),
        "0: no var 'xyzzy': a name of vars, instance, serial, labels.KEY, phone.NAME or outputs.NAME.stdout is wanted");
    EXPECT_EQ(expanded("{{ }}"), "0: the expression is empty");
    EXPECT_EQ(expanded("{{ labels. }}").substr(0, 18), "0: no var 'labels.");
    EXPECT_EQ(expanded("{{ pkg"), "0: '{{' without '}}' in its line; for the braces themselves write {{ '{{' }}");
    EXPECT_EQ(expanded("{{ pkg\n}}"), "0: '{{' without '}}' in its line; for the braces themselves write {{ '{{' }}");
    EXPECT_EQ(expanded("{{ raw(pkg) }}", Template::Use::plain),
              "0: nothing is quoted here, so raw() has no meaning: write {{ pkg }}");
    for (const std::string_view text :
         {"'{{ pkg }}'", "\"{{ pkg }}\"", "echo \"a $(b 'c') {{ pkg }}\"", "x # it's {{ pkg }}",
          "\"$(echo \"{{ pkg }}\")\"", "${x:-{{ pkg }}}", "$'a\\'{{ pkg }}'", "a\\{{ pkg }}", "\"`echo`{{ pkg }}\"",
          "\"${x}{{ pkg }}\""}) {
        EXPECT_EQ(expanded(text), "0: " + inside) << text;
    }
    EXPECT_EQ(expanded("cat <<E\n{{ pkg }}\nE\n"),
              "0: after '<<' it is not clear how to quote a value: put it into env, or write {{ raw(pkg) }}");
    const auto both = Template::parse("{{ a }} '{{ pkg }}' {{ b }}", Template::Use::shell, names_of(kVars));
    ASSERT_FALSE(both);
    EXPECT_EQ(both.error().size(), 3U);
}

TEST(Template, KnowsWhereNoQuoteIsOpen) {
    for (const std::string_view text :
         {"'a' {{ pkg }}", "\"a\"{{ pkg }}", "\"$(echo {{ pkg }})\"", "`echo {{ pkg }}`", "# it's\n{{ pkg }}",
          "a#'b' {{ pkg }}", "$# {{ pkg }}", "${#x} {{ pkg }}", "\"it's\" {{ pkg }}", "\\' {{ pkg }}",
          "x <<< {{ pkg }}", "( {{ pkg }} )", "$((1+2)) {{ pkg }}", "case x in a) {{ pkg }};; esac",
          "$'it\\'s' {{ pkg }}", "{{ pkg }}#'{{ raw(pkg) }}' {{ pkg }}"}) {
        const auto parsed = Template::parse(text, Template::Use::shell, names_of(kVars));
        EXPECT_TRUE(parsed) << text;
    }
}

// What counts: whatever the value, the shell gets it as one word and runs nothing of it.
TEST(Template, ARealShellGetsTheValueUnchanged) {
    const std::string shell = std::filesystem::exists("/bin/mksh") ? "/bin/mksh" : "/bin/sh";
    const std::string_view places[] = {
        "printf '%s|' {{ v }} x",
        "printf \"%s|\" a{{ v }}b x",
        "printf '%s|' \"$(printf '%s|' {{ v }})\" x",
        "x={{ v }}; printf '%s|' \"$x\" x",
        "# it's\nprintf '%s|' {{ v }} x",
        "(printf '%s|' {{ v }}); printf 'x|'",
    };
    std::mt19937 random(7);
    const std::string_view alphabet = "ab '\"\\$`;&|()<>*?[]{}#!~=%\t\n-";
    for (int round = 0; round < 25; ++round) {
        std::string value;
        for (std::size_t n = random() % 12; n > 0; --n) value += alphabet[random() % alphabet.size()];
        value += "z";  // $(..) drops line ends
        const Vars vars{{"v", value}};
        for (std::size_t i = 0; i < std::size(places); ++i) {
            const std::string line = expanded(places[i], Template::Use::shell, vars);
            const auto done = test::run({.argv = {shell, "-c", line}});
            const std::string wanted = i == 1 ? "a" + value + "b|x|" : i == 2 ? value + "||x|" : value + "|x|";
            ASSERT_EQ(done.out, wanted) << line;
            ASSERT_EQ(done.err, "") << line;
        }
    }
}

}  // namespace
}  // namespace drover::job
