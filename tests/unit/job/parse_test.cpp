#include "job/parse.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "drover/job.hpp"
#include "job/plan.hpp"
#include "where.hpp"

namespace drover::job {
namespace {

using testing::ElementsAre;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

std::vector<std::string> wrong(std::string_view text) {
    const auto job = parse_job(text, "j.yaml");
    std::vector<std::string> out;
    if (job) return {"(accepted)"};
    for (const Error& error : job.error()) {
        EXPECT_EQ(error.code, Code::bad_job);
        out.push_back(error.message);
    }
    return out;
}

Instance phone() {
    Instance out;
    out.id = "r-01";
    out.address = Serial{"S1"};
    out.labels = {{"rack", "it's"}};
    return out;
}

std::string command_of(const Step& step, const Instance& instance) {
    return describe(step, Scope{instance, {}, {}, {}, {}, "", Standing::good});
}

TEST(ParseJob, ReadsEveryKey) {
    const auto job = parse_job(
        "version: 1\n"
        "name: all keys\n"
        "on: rack1-* & !@canary\n"
        "vars: {pkg: com.x, n: 012}\n"
        "env: {A: '{{ labels.rack }} {{ pkg }}', B: on}\n"
        "timeout: 1.5m\n"
        "steps:\n"
        "  - run: pm path {{ pkg }}\n"
        "  - name: second\n"
        "    run: |\n"
        "      echo {{ n }}\n"
        "      exit 3\n"
        "    timeout: 500ms\n"
        "    continue-on-error: true\n",
        "dir/j.yaml");
    ASSERT_TRUE(job) << job.error()[0].message;
    EXPECT_EQ(job->name, "all keys");
    EXPECT_EQ(job->on, "rack1-* & !@canary");
    EXPECT_EQ(job->timeout, 90s);
    ASSERT_EQ(job->steps.size(), 2U);
    EXPECT_EQ(job->steps[0].name, "step 1");
    EXPECT_EQ(job->steps[0].timeout, std::nullopt);
    EXPECT_FALSE(job->steps[0].continue_on_error);
    EXPECT_EQ(job->steps[1].timeout, 500ms);
    EXPECT_TRUE(job->steps[1].continue_on_error);
    EXPECT_EQ(command_of(job->steps[0], phone()), R"(export A='it'\''s com.x'; export B='on'; pm path 'com.x')");
    EXPECT_EQ(command_of(job->steps[1], phone()), "export A='it'\\''s com.x'; export B='on'; echo '012'\nexit 3\n");
    EXPECT_EQ(parse_job("version: 1\nsteps: [{run: x}]\n", "dir/nightly.yaml")->name, "nightly");
}

TEST(ParseJob, OnSaysWhichPhonesAndHowMany) {
    const auto read = [](const std::string& on) {
        const auto job = parse_job("version: 1\non: " + on + "\nsteps: [{run: id}]\n", "j.yaml");
        EXPECT_TRUE(job) << job.error()[0].message;
        return *job;
    };
    EXPECT_FALSE(read("all").choice);
    const auto three = read("{select: 'rack1-*', count: 3, wait: 5m}");
    EXPECT_EQ(three.on, "rack1-*");
    ASSERT_TRUE(three.choice);
    EXPECT_EQ(three.choice->count, 3U);
    EXPECT_EQ(three.choice->wait, 300s);
    EXPECT_EQ(read("{any: '@canary'}").choice->count, 1U);
    EXPECT_EQ(read("{any: '@canary', count: 2}").choice->count, 2U);
    const auto all = read("{select: all, wait: 1m}");
    EXPECT_EQ(all.choice->count, 0U) << "all of them, once they are free";
    EXPECT_FALSE(read("{select: all}").choice->wait);
}

TEST(ParseJob, TellsAllMistakesWithTheirPlaces) {
    EXPECT_THAT(
        wrong("version: 1\n"
              "nmae: x\n"
              "on: 'rack1-[01'\n"
              "timeout: 10\n"
              "env: {1A: b, OK: '{{ pgk }}'}\n"
              "vars: {pkg: x, serial: y, bad name: z, t: '{{ pkg }}'}\n"
              "steps:\n"
              "  - nmae: a\n"
              "    run: echo {{ pgk }} {{ pkg }}\n"
              "    continue-on-error: yes\n"
              "  - name: no run\n"
              "    timeout: -5s\n"
              "  - run: [a, b]\n"
              "  - run: ''\n"
              "  - echo hi\n"),
        ElementsAre(
            "j.yaml:2:1: unknown key 'nmae' (did you mean 'name'?)",
            "j.yaml:3:5: on: column 7 of the selector: '[' without ']'",
            "j.yaml:4:10: timeout: '10' is not a duration: the unit is missing (write 500ms, 10s, 5m or 2h)",
            "j.yaml:5:7: env: '1A' is not a variable's name: letters, digits and _, the first no digit",
            "j.yaml:5:22: env.OK: no var 'pgk' (did you mean 'pkg'?)",
            "j.yaml:6:16: vars: 'serial' is taken: choose another name",
            "j.yaml:6:27: vars: 'bad name' is not a name: letters, digits, _ and -, the first a letter or _",
            "j.yaml:6:43: vars.t: a var is a plain text: {{ }} works in run and env",
            "j.yaml:8:5: steps[0]: unknown key 'nmae' (did you mean 'name'?)",
            "j.yaml:9:18: steps[0].run: no var 'pgk' (did you mean 'pkg'?)",
            "j.yaml:10:24: steps[0].continue-on-error: true or false is wanted, this is 'yes'",
            "j.yaml:11:5: steps[1]: what to do is missing: one of run, sleep, fail, wait-for, host-run, instrument, "
            "push, pull, install, uninstall, screenshot, bugreport, logcat, reboot, uses",
            "j.yaml:12:14: steps[1].timeout: '-5s' is not a duration: it must begin with a number (write 500ms, 10s, "
            "5m or 2h)",
            "j.yaml:13:10: steps[2].run: a text is wanted, this is a list",
            "j.yaml:14:10: steps[3].run: the command is empty",
            "j.yaml:15:5: steps[4]: a map is wanted, this is a text"));
}

TEST(ParseJob, OneMistakeEach) {
    const struct {
        std::string_view text, message;
    } kCases[] = {
        {"", "j.yaml:1:1: the value is missing: a map is wanted"},
        {"steps: [{run: x}]\n", "j.yaml:1:1: the key 'version' is missing"},
        {"version: 1\n", "j.yaml:1:1: the key 'steps' is missing"},
        {"version: 1\nsteps: []\n", "j.yaml:2:8: steps: at least one step is wanted"},
        {"version: 1\nsteps:\n", "j.yaml:2:1: steps: a list is wanted, this is nothing"},
        {"version: 1\nsteps: {run: x}\n", "j.yaml:2:8: steps: a list is wanted, this is a map"},
        {"version: '1'\nsteps: [{run: x}]\n",
         "j.yaml:1:10: version: the number 1 is wanted, this is the quoted text '1'"},
        {"version: 1\nversion: 1\n", "j.yaml:2:1: the key 'version' stands here a second time; the first is in line 1"},
        {"version: 1\nsteps:\n  - run: a\n    run: b\n",
         "j.yaml:4:5: the key 'run' stands here a second time; the first is in line 3"},
        {"version: 1\nsteps:\n  - {name: a, run: x}\n  - {run: y, name: a}\n",
         "j.yaml:4:20: steps[1].name: the name 'a' stands here a second time; the first is in line 3"},
        {"version: 1\nsteps:\n  - {name: step 2, run: x}\n  - run: y\n",
         "j.yaml:4:5: steps[1].name: the name 'step 2' stands here a second time; the first is in line 3"},
        {"version: 1\nname: \"a\\nb\"\nsteps: [{run: x}]\n", "j.yaml:2:7: name: a name is one line of 1 to 128 bytes"},
        {"version: 1\nsteps: [{run: \"a\\0b\"}]\n",
         "j.yaml:2:15: steps[0].run: a NUL character cannot be sent to a shell"},
        {"version: 1\nsteps: [{run: x, timout: 5s}]\n",
         "j.yaml:2:18: steps[0]: unknown key 'timout' (did you mean 'timeout'?)"},
        {"version: 1\non: ''\nsteps: [{run: x}]\n",
         "j.yaml:2:5: on: column 1 of the selector: the selector is empty: write 'all' for every phone"},
    };
    for (const auto& c : kCases) EXPECT_THAT(wrong(c.text), ElementsAre(c.message)) << c.text;
}

TEST(ParseJob, PlacesOfTemplatesInEveryKindOfText) {
    const auto places = [](std::string_view steps) {
        std::vector<std::string> out;
        for (const std::string& line : wrong(fmt::format("version: 1\nsteps:\n{}", steps)))
            out.push_back(line.substr(0, line.find(": ")));
        return out;
    };
    EXPECT_THAT(places("  - run: |\n      echo a\n      echo {{ x }}\n\n      echo b {{ instance }} {{ y }}\n"),
                ElementsAre("j.yaml:5:15", "j.yaml:7:32"));
    EXPECT_THAT(places("  - run: >-\n      a\n      {{ x }}\n"), ElementsAre("j.yaml:5:10"));
    EXPECT_THAT(places("  - run: \"\xC3\xA9 \\\"{{ x }}\"\n"), ElementsAre("j.yaml:3:18"));
    EXPECT_THAT(places("  - run: 'a ''{{ x }}'\n"), ElementsAre("j.yaml:3:18"));
    EXPECT_THAT(places("  - run: a\n      b {{ x }}\n"), ElementsAre("j.yaml:4:12"));
    EXPECT_THAT(places("  - run: {{ x }}\n"), ElementsAre("j.yaml:3:11"));
    EXPECT_THAT(places("  - run: &a echo {{ x }}\n  - run: *a\n"), ElementsAre("j.yaml:3:21", "j.yaml:4:10"));
    EXPECT_THAT(places("  - run: echo {{ '{{' }} {{ x }}\n"), ElementsAre("j.yaml:3:29"));
}

TEST(ParseJob, Limits) {
    std::string steps = "version: 1\nsteps:\n";
    for (int i = 0; i < 201; ++i) steps += "  - run: x\n";
    EXPECT_THAT(wrong(steps), ElementsAre("j.yaml:203:5: steps: more than 200 steps"));
    EXPECT_THAT(wrong("version: 1\nsteps: [{run: '" + std::string(70'000, 'x') + "'}]\n"),
                ElementsAre("j.yaml:2:15: steps[0].run: more than 65536 bytes"));
    EXPECT_THAT(wrong(std::string(2'000'000, '#')), ElementsAre("j.yaml: larger than 1 MiB"));
    std::string vars = "version: 1\nsteps: [{run: x}]\nvars:\n";
    for (int i = 0; i < 201; ++i) vars += fmt::format("  v{}: x\n", i);
    EXPECT_THAT(wrong(vars), ElementsAre("j.yaml:4:3: vars: more than 200 vars"));
    std::string env = "version: 1\nsteps: [{run: x}]\nenv:\n";
    for (int i = 0; i < 101; ++i) env += fmt::format("  V{}: x\n", i);
    EXPECT_THAT(wrong(env), ElementsAre("j.yaml:4:3: env: more than 100 variables"));
    std::string mistakes = "version: 1\nsteps:\n";
    for (int i = 0; i < 100; ++i) mistakes += "  - rnu: x\n";
    EXPECT_EQ(wrong(mistakes).back(), "j.yaml: 50 more problems");
}

TEST(CheckFacts, NamesThePhonesThatLackOne) {
    const auto job =
        parse_job("version: 1\nenv: {S: '{{ serial }}'}\nsteps: [{run: 'echo {{ labels.rack }}'}]\n", "j.yaml");
    ASSERT_TRUE(job);
    std::vector<Instance> phones(4, phone());
    std::vector<const Instance*> view;
    for (std::size_t i = 0; i < phones.size(); ++i) {
        phones[i].id = fmt::format("r-0{}", i);
        view.push_back(&phones[i]);
    }
    EXPECT_TRUE(check_facts(*job, view));
    phones[1].labels.clear();
    phones[2].labels.clear();
    const auto missing = check_facts(*job, view);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Code::bad_job);
    EXPECT_EQ(missing.error().message, "j.yaml: no value for {{ labels.rack }} on 2 of 4 phones: r-[01-02]");
    phones[3].address = TcpAddress{"h", 1};
    phones[1].labels = phones[2].labels = phones[0].labels;
    EXPECT_EQ(check_facts(*job, view).error().message, "j.yaml: no value for {{ serial }} on 1 of 4 phones: r-03");
}

TEST(Jobs, ThoseInConfigAreValid) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(DROVER_SOURCE_DIR "/config/jobs")) {
        if (entry.path().extension() != ".yaml") continue;
        const auto job = Job::load(entry.path());
        ASSERT_TRUE(job) << job.error()[0].message;
        EXPECT_EQ(job->name(), entry.path().stem());
        EXPECT_NE(command_of(job->model().steps[0], phone()), "");
        ++count;
    }
    EXPECT_GE(count, 4U);
    const auto gone = Job::load("no/such.yaml");
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error()[0].message, "no/such.yaml: No such file or directory");
}

}  // namespace
}  // namespace drover::job
