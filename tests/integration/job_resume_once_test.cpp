// What ran once for all phones, in a run that was killed before most of them came to it: it is taken up, not done again.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "support/drover.hpp"

namespace drover::test {
namespace {

TEST(JobResumeOnce, WhatRanOnceForAllIsNotDoneAgain) {
    const SimProcess sim(3);
    const TempDir dir;
    const EnvChanges env{{"XDG_STATE_HOME", dir.path().string()}};
    const auto job = dir.write(
        "j.yaml",
        fmt::format(
            "version: 1\nstrategy: {{max-parallel: 1}}\nsteps:\n"
            "  - {{name: make, register: made, host-run: {{shell: 'echo x >>{0}/runs; echo built', once: true}}}}\n"
            "  - {{name: hang, idempotent: true,\n"
            "     host-run: {{shell: 'test -e {0}/go || {{ touch {0}/hangs; exec sleep 600; }}'}}}}\n"
            "  - {{name: say, run: 'echo it was {{{{ outputs.made.stdout }}}}'}}\n",
            dir.path().string()));
    const auto command = [&](std::vector<std::string> args) {
        args.insert(args.begin(), "run");
        args.insert(args.end(), {"--inventory", sim.inventory(), "--output", "json"});
        return drover_command(std::move(args), env);
    };
    Process first(command({job.string()}));
    const auto line = first.wait_for_error_line("drover: run ");
    ASSERT_TRUE(line) << first.err();
    while (!std::filesystem::exists(dir / "hangs") && !first.wait(std::chrono::milliseconds(1))) {}
    first.signal(SIGKILL);
    first.wait();
    dir.write("go", "");
    const auto second = run(command({"--resume", line->substr(line->rfind(' ') + 1)}));
    EXPECT_EQ(second.code(), 0) << second.out << second.err;
    EXPECT_EQ(read_file(dir / "runs"), "x\n");
    std::size_t said = 0;
    for (auto at = second.out.find("it was built"); at != std::string::npos;
         at = second.out.find("it was built", at + 1))
        ++said;
    EXPECT_GE(said, 3U) << second.out;
}

}  // namespace
}  // namespace drover::test
