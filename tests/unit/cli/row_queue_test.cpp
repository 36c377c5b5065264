#include "cli/row_queue.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace drover::cli {
namespace {

Row queued_row(std::size_t index) {
    Row row;
    row.index = index;
    return row;
}

TEST(RowQueue, GivesRowsInTheirOrderAndThenDone) {
    RowQueue queue;
    queue.on_row(queued_row(7));
    queue.on_row(queued_row(3));
    auto batch = queue.take(std::nullopt);
    ASSERT_EQ(batch.rows.size(), 2u);
    EXPECT_EQ(batch.rows[0].index, 7u);
    EXPECT_EQ(batch.rows[1].index, 3u);
    EXPECT_FALSE(batch.done);
    queue.on_row(queued_row(1));
    queue.on_done();
    batch = queue.take(std::nullopt);
    EXPECT_EQ(batch.rows.size(), 1u);
    EXPECT_TRUE(batch.done);
}

TEST(RowQueue, WakeLetsTheReaderGoWithoutARow) {
    RowQueue queue;
    queue.wake();
    const auto batch = queue.take(std::nullopt);
    EXPECT_TRUE(batch.rows.empty());
    EXPECT_FALSE(batch.done);
}

TEST(RowQueue, AWaitThatHasPassedReturnsEmpty) {
    RowQueue queue;
    EXPECT_TRUE(queue.take(RowQueue::TimePoint{}).rows.empty());
}

TEST(RowQueue, NoRowIsLostBetweenThreads) {
    constexpr std::size_t kRows = 20'000;
    RowQueue queue;
    std::thread writer([&] {
        for (std::size_t i = 0; i < kRows; ++i) {
            queue.on_row(queued_row(i));
            if (i % 97 == 0) queue.wake();
        }
        queue.on_done();
    });
    std::size_t next = 0;
    bool in_order = true;
    while (true) {
        const auto batch = queue.take(std::nullopt);
        for (const auto& row : batch.rows) in_order = in_order && row.index == next++;
        if (batch.done) break;
    }
    writer.join();
    EXPECT_TRUE(in_order);
    EXPECT_EQ(next, kRows);
}

}  // namespace
}  // namespace drover::cli
