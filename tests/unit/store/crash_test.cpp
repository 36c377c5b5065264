// A process that is killed while it writes: whatever it was told is done must be there.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "store/sqlite_store.hpp"
#include "support/rounds.hpp"
#include "support/temp_dir.hpp"
#include "task_samples.hpp"

namespace drover::store {
namespace {

// Adds tasks for ever, and tells each through the pipe once it is done.
[[noreturn]] void write_until_killed(const std::filesystem::path& file, int pipe) {
    auto store = SqliteTaskStore::open(file);
    if (!store) ::_exit(1);
    for (int i = 1;; ++i) {
        (*store)->add(sample_task(i, 3), [i, pipe](const Result<void>& r) {
            if (!r || ::write(pipe, &i, sizeof i) != sizeof i) ::_exit(2);
        });
        // Several in flight, so that the kill falls into a batch.
        while ((*store)->writes_queued() > 64) std::this_thread::yield();
    }
}

TEST(StoreCrash, EveryTaskThatWasAcceptedIsThereAfterKill) {
    for (unsigned round = 0; round < test::rounds(5); ++round) {
        const test::TempDir dir;
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) write_until_killed(dir / "drover.db", ends[1]);
        ::close(ends[1]);
        int last = 0, count = 0, number = 0;
        while (::read(ends[0], &number, sizeof number) == sizeof number) {
            last = number;
            if (++count == 200) ::kill(child, SIGKILL);
        }
        ::close(ends[0]);
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status)) << "exit code " << WEXITSTATUS(status);
        ASSERT_GE(count, 200);

        auto store = SqliteTaskStore::open(dir / "drover.db");
        ASSERT_TRUE(store) << store.error().message;
        for (int i = 1; i <= last; ++i) {
            const auto found = (*store)->find(sample_task(i).task_id);
            ASSERT_TRUE(found && *found) << "task " << i << " of " << last << " is lost";
            ASSERT_EQ((*found)->jobs.size(), 3U);
        }
    }
}

}  // namespace
}  // namespace drover::store
