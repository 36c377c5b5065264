#include "job/expression.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "job/template.hpp"

namespace drover::job {
namespace {

NameTable names() {
    NameTable out;
    out.vars.emplace("pkg", std::make_shared<const Template>(Template::literal("com.x")));
    out.vars.emplace("count", std::make_shared<const Template>(Template::literal(" 12 ")));
    out.outputs = {{"probe", 0}, {"skipped", 1}, {"later", 2}};
    out.matrix = {"abi"};
    out.secrets = {"TOKEN"};
    return out;
}

struct World {
    Instance phone;
    std::vector<std::string> phone_values{"Pixel 8", "Google", "google", "shiba", "shiba",
                                          "34",      "14",     "arm64",  "S",     "b"};
    std::vector<std::optional<Output>> outputs{Output{"10\nlast", "warn", 3, Code::command_failed, false, 7},
                                               Output{"", "", {}, Code::ok, true, 0}, std::nullopt};
    std::vector<std::string> matrix{"arm"}, secrets{"s3cret"};
    Standing standing = Standing::good;

    World() {
        phone.id = "r-01";
        phone.labels = {{"rack", "r1"}};
    }
    Scope scope() const { return {phone, phone_values, outputs, matrix, secrets, "run7", standing}; }
};

std::string value(std::string_view text, const World& world = {}) {
    const auto parsed = Expression::parse(text, Expression::Use::value, names());
    if (!parsed) return fmt::format("{}: {}", parsed.error().offset, parsed.error().message);
    const auto out = parsed->evaluate(world.scope());
    if (!out) return "fails: " + out.error();
    return is_missing(*out) ? "(missing)" : to_text(*out);
}

std::string condition(std::string_view text, const World& world = {}) {
    const auto parsed = Expression::parse(text, Expression::Use::condition, names());
    if (!parsed) return fmt::format("{}: {}", parsed.error().offset, parsed.error().message);
    const auto out = parsed->evaluate(world.scope());
    return out ? to_text(*out) : "fails: " + out.error();
}

TEST(Expression, Names) {
    EXPECT_EQ(value("pkg"), "com.x");
    EXPECT_EQ(value("vars.pkg"), "com.x");
    EXPECT_EQ(value("instance"), "r-01");
    EXPECT_EQ(value("serial"), "(missing)");
    EXPECT_EQ(value("labels.rack"), "r1");
    EXPECT_EQ(value("labels.none"), "(missing)");
    EXPECT_EQ(value("phone.model"), "Pixel 8");
    EXPECT_EQ(value("phone.sdk"), "34");
    EXPECT_EQ(value("outputs.probe.stdout"), "10\nlast");
    EXPECT_EQ(value("outputs.probe.stderr"), "warn");
    EXPECT_EQ(value("outputs.probe.exit_code"), "3");
    EXPECT_EQ(value("outputs.probe.ok"), "false");
    EXPECT_EQ(value("outputs.probe.code"), "CPS.0191");
    EXPECT_EQ(value("outputs.probe.ms"), "7");
    EXPECT_EQ(value("outputs.skipped.stdout"), "(missing)");
    EXPECT_EQ(value("outputs.later.ok"), "(missing)");
    EXPECT_EQ(value("matrix.abi"), "arm");
    EXPECT_EQ(value("secrets.TOKEN"), "s3cret");
    EXPECT_EQ(value("run.id"), "run7");
}

TEST(Expression, Comparisons) {
    const char* const yes[] = {
        "1 == 1",
        "1 != 2",
        "2 < 10",
        "'9' < '10'",
        "'8.1' < '14'",
        "'a' < 'b'",
        "'a' != 'A'",
        "phone.sdk >= 30",
        "count > 9",
        "count == 12",
        "'x' == \"x\"",
        "'it''s' == \"it's\"",
        "-1 < 0",
        "true != false",
        "labels.none == labels.other",
        "labels.none != 'x'",
        "!(labels.none < 'x')",
        "!(outputs.later.exit_code > 0)",
        "outputs.probe.exit_code == 3",
        "'007' == 7",
        "!('' == 0)",
        "!('x' == 0)",
        "line('b1\nb10', 2) > line('b1\nb9', 2)",
    };
    for (const auto* text : yes) EXPECT_EQ(condition(text), "true") << text;
    EXPECT_EQ(condition("outputs.probe.stderr > 3"), "fails: 'warn' is no number to compare");
}

TEST(Expression, OperatorsByStrength) {
    EXPECT_EQ(condition("true || false && false"), "true");
    EXPECT_EQ(condition("(true || false) && false"), "false");
    EXPECT_EQ(condition("!true || true"), "true");
    EXPECT_EQ(condition("!(true || true)"), "false");
    EXPECT_EQ(condition("!!true"), "true");
    EXPECT_EQ(condition("1 < 2 && 2 < 3"), "true");
    // What is not needed is not looked at.
    EXPECT_EQ(condition("false && outputs.probe.stderr > 3"), "false");
    EXPECT_EQ(condition("true || outputs.probe.stderr > 3"), "true");
}

TEST(Expression, Functions) {
    EXPECT_EQ(condition("contains(phone.model, 'xel') && startsWith(pkg, 'com.') && endsWith(pkg, '.x')"), "true");
    EXPECT_EQ(condition("matches(instance, 'r-0?') && matches('a.b.c', '*.c') && !matches('ab', 'a')"), "true");
    EXPECT_EQ(value("lower('ÄBC') "), "Äbc");
    EXPECT_EQ(value("upper('abc')"), "ABC");
    EXPECT_EQ(value("trim('  a b\n')"), "a b");
    EXPECT_EQ(value("replace('a.b.c', '.', '/')"), "a/b/c");
    EXPECT_EQ(value("replace('abc', '', 'x')"), "abc");
    EXPECT_EQ(value("line(outputs.probe.stdout, 1)"), "10");
    EXPECT_EQ(value("line(outputs.probe.stdout, -1)"), "last");
    EXPECT_EQ(value("line(outputs.probe.stdout, 3)"), "(missing)");
    EXPECT_EQ(value("line(outputs.probe.stdout, 0)"), "(missing)");
    EXPECT_EQ(value("length(pkg)"), "5");
    EXPECT_EQ(value("number(line(outputs.probe.stdout, 1))"), "10");
    EXPECT_EQ(value("number('x')"), "(missing)");
    EXPECT_EQ(value("text(1)"), "1");
    EXPECT_EQ(value("default(labels.none, 'no rack')"), "no rack");
    EXPECT_EQ(value("default(labels.rack, 'no rack')"), "r1");
    EXPECT_EQ(value("replace(replace(replace('" + std::string(100, 'a') + "', 'a', '" + std::string(100, 'b') +
                    "'), 'b', '" + std::string(100, 'c') + "'), 'c', 'dd')"),
              "fails: more than 262144 bytes");
}

TEST(Expression, Standing) {
    World world;
    EXPECT_EQ(condition("success() && !failure() && !cancelled() && always()", world), "true");
    world.standing = Standing::failed;
    EXPECT_EQ(condition("!success() && failure() && !cancelled() && always()", world), "true");
    world.standing = Standing::cancelled;
    EXPECT_EQ(condition("!success() && !failure() && cancelled() && always()", world), "true");
    EXPECT_EQ(value("success()"), "0: success() belongs into 'if'");
}

TEST(Expression, SaysWhatIsWrongAndWhere) {
    const struct {
        std::string_view text, message;
    } kCases[] = {
        {"", "0: the expression is empty"},
        {"pkg ==", "6: something is missing at the end"},
        {"pkg", "0: a condition is wanted, this is a text: compare it, as in NAME == 'value'"},
        {"phone.sdk", "0: a condition is wanted, this is a number: compare it, as in NAME == 'value'"},
        {"true && pkg", "8: a condition is wanted, this is a text: compare it, as in NAME == 'value'"},
        {"!phone.sdk", "1: a condition is wanted, this is a number: compare it, as in NAME == 'value'"},
        {"pkg = 'x'", "4: '=' is no comparison: write =="},
        {"1 < 2 < 3", "6: comparisons are not chained: join two with &&"},
        {"(true", "5: ')' is missing at the end"},
        {"true)", "4: ')' was not expected here"},
        {"true false", "5: 'false' was not expected here"},
        {"'abc", "0: ' without a second '"},
        {"pgk == 'x'", "0: no var 'pgk' (did you mean 'pkg'?)"},
        {"outputs.prob.stdout == ''", "0: no step before this one registers 'prob' (did you mean 'probe'?)"},
        {"outputs.probe.stdot == ''", "0: an output has no 'stdot' (did you mean 'stdout'?)"},
        {"outputs.probe == ''", "0: an output has no '': one of stdout, stderr, exit_code, ok, code, ms"},
        {"phone.modle == ''", "0: a phone has no 'modle' (did you mean 'model'?)"},
        {"matrix.x == ''", "0: strategy.matrix has no 'x': one of abi"},
        {"secrets.tok == ''", "0: secrets has no 'tok': one of TOKEN"},
        {"contain(pkg, 'x')", "0: no function 'contain' (did you mean 'contains'?)"},
        {"contains(pkg)", "0: contains() takes 2 values, these are 1"},
        {"contains(pkg, true)", "14: a text is wanted, this is a condition"},
        {"true < false", "0: a condition is neither less nor more than something"},
        {"true == 'x'", "8: a condition is compared with a text"},
        {"12x == 1", "0: '12x' is no whole number"},
        {"99999999999999999999 == 1", "0: '99999999999999999999' is no whole number"},
        {"raw(pkg) == ''", "0: raw() goes around everything: {{ raw(NAME) }}"},
        {"pkg == 'x' & true", "11: '&' was not expected here"},
    };
    for (const auto& c : kCases) EXPECT_EQ(condition(c.text), c.message) << c.text;
}

TEST(Expression, Limits) {
    EXPECT_EQ(condition(std::string(100, '(') + "true" + std::string(100, ')')),
              "32: more than 32 levels of parentheses");
    EXPECT_EQ(condition(std::string(100, '!') + "true"), "32: more than 32 times '!'");
    EXPECT_EQ(condition(std::string(5000, ' ')), "0: more than 4096 bytes");
    std::string many = "true";
    for (int i = 0; i < 300; ++i) many += "||true";
    EXPECT_THAT(condition(many), testing::HasSubstr("more than 256 parts in one expression"));
}

TEST(Value, NaturalOrder) {
    EXPECT_EQ(natural_order("a9", "a10"), std::strong_ordering::less);
    EXPECT_EQ(natural_order("a010", "a10"), std::strong_ordering::equal);
    EXPECT_EQ(natural_order("a10", "a1"), std::strong_ordering::greater);
    EXPECT_EQ(natural_order("8.1", "8.1.2"), std::strong_ordering::less);
    EXPECT_EQ(natural_order("", ""), std::strong_ordering::equal);
}

}  // namespace
}  // namespace drover::job
