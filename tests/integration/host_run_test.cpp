// Programs of this host that a job started, when drover is gone.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include "base/unique_fd.hpp"
#include "support/drover.hpp"

namespace drover::test {
namespace {

// A named pipe: it hangs up when the last process that writes to it is gone.
TEST(HostRun, AProgramEndsWithADroverThatIsKilled) {
    const SimProcess phone(1);
    const TempDir dir;
    const auto pipe = dir / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const UniqueFd end(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    ASSERT_TRUE(end);
    const auto job = dir.write(
        "j.yaml", fmt::format("version: 1\nsteps:\n  - host-run: {{shell: 'echo up >{0}; sleep 600 >{0}; exit 1'}}\n",
                              pipe.string()));
    Process run(drover_command({"run", job.string(), "--inventory", phone.inventory(), "--timeout", "600s"}));
    const auto wait_for = [&](short event) {
        pollfd entry{end.get(), event, 0};
        return ::poll(&entry, 1, static_cast<int>(kWaitMax.count())) == 1 ? entry.revents : 0;
    };
    ASSERT_EQ(wait_for(POLLIN) & POLLIN, POLLIN) << "it did not begin";
    run.signal(SIGKILL);
    ASSERT_TRUE(run.wait());
    EXPECT_EQ(wait_for(0) & POLLHUP, POLLHUP) << "it goes on";
}

}  // namespace
}  // namespace drover::test
