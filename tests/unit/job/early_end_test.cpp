// Jobs that end before their last step: a limit that passes in `finally`, and fail-fast.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "unit/job/job_fixture.hpp"

namespace drover::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(EarlyEnd, TheLimitOfTheJobPassesInAFinallyOfTheMatrix) {
    FakeFleet fleet(1, 1);
    const Row row = run_on_one(play_on(fleet), job_of("- {name: a, run: x}\nfinally:\n- {name: z, sleep: 200ms}\n",
                                                      "timeout: 50ms\nstrategy: {matrix: {k: [1, 2, 3]}}"));
    EXPECT_EQ(row.code, Code::timeout);
    EXPECT_THAT(row.error_msg, HasSubstr("the phone's limit for the whole job is 50ms"));
    EXPECT_EQ(told(row), "a:0 z: a:skipped z:skipped a:skipped z:skipped ");
}

TEST(EarlyEnd, TheLimitOfTheJobPassesInTheLastFinally) {
    FakeFleet fleet(1, 1);
    const Row row = run_on_one(play_on(fleet), job_of("- {name: a, run: x}\nfinally:\n- {name: y, sleep: 200ms}\n"
                                                      "- {name: z, if: success(), run: z}\n",
                                                      "timeout: 50ms"));
    EXPECT_TRUE(row.ok()) << row.error_msg;
    EXPECT_EQ(told(row), "a:0 y: z:0 ");
}

TEST(EarlyEnd, FailFastDoesNotWaitForTheFinallyOfWhoeverFailed) {
    FakeFleet fleet(3, 1);
    Rows rows;
    dispatch::dispatch(request(play_on(fleet), job_of("- {name: a, run: a}\n"
                                                      "- {name: b, if: \"instance == 'p1'\", run: exit 3}\n"
                                                      "- {name: c, run: c}\n- {name: d, if: always(), run: d}\n"
                                                      "finally:\n- {name: z, run: z}\n",
                                                      "strategy: {sync: step, fail-fast: true}")),
                       rows)
        ->wait();
    ASSERT_EQ(rows.rows.size(), 3U);
    for (const Row& row : rows.rows) {
        if (row.instance_id == "p1") {
            EXPECT_EQ(row.code, Code::command_failed);
            continue;
        }
        EXPECT_EQ(row.code, Code::run_stopped);
        EXPECT_THAT(row.error_msg, HasSubstr("fail-fast: p1 failed"));
        EXPECT_EQ(told(row), "a:0 b:skipped c:skipped d:skipped z:0 ");
    }
}

}  // namespace
}  // namespace drover::test
