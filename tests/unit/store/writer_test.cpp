#include "store/writer.hpp"

#include <gtest/gtest.h>

#include <future>
#include <vector>

#include "support/temp_dir.hpp"

namespace drover::store {
namespace {

Database open_numbers(const test::TempDir& dir) {
    auto db = Database::open(dir / "w.db", Database::Mode::read_write);
    EXPECT_TRUE(db->execute("PRAGMA journal_mode = WAL; CREATE TABLE n (x INTEGER PRIMARY KEY)"));
    return std::move(*db);
}

Writer::Write insert(std::int64_t x) {
    return [x](Database& db) -> Result<void> {
        auto s = db.prepare("INSERT INTO n VALUES (?)");
        if (!s) return tl::unexpected(s.error());
        return s->bind(x).run();
    };
}

// Blocks the writer's thread, so that what is submitted meanwhile makes one batch.
struct Plug {
    std::promise<void> reached, go;
    void put(Writer& writer) {
        writer.submit(
            [this](Database&) -> Result<void> {
                reached.set_value();
                go.get_future().wait();
                return {};
            },
            [](const Result<void>&) {});
        reached.get_future().wait();
    }
};

std::int64_t count(const test::TempDir& dir) {
    auto db = Database::open(dir / "w.db", Database::Mode::read_only);
    auto s = db->prepare("SELECT count(*) FROM n");
    EXPECT_TRUE(s->step());
    return s->integer(0);
}

TEST(Writer, ABadWriteTakesNoOtherWithIt) {
    const test::TempDir dir;
    std::vector<bool> results;
    {
        Plug plug;  // outlives the writer, whose thread looks into it
        Writer writer(open_numbers(dir));
        plug.put(writer);
        for (const std::int64_t x : {1, 2, 1, 3}) {
            writer.submit(insert(x), [&](const Result<void>& r) { results.push_back(r.has_value()); });
        }
        plug.go.set_value();
    }
    EXPECT_EQ(results, (std::vector<bool>{true, true, false, true}));
    EXPECT_EQ(count(dir), 3);
}

// Each write alone would wait for the lock again.
TEST(Writer, ALockedDatabaseFailsTheWholeBatchAtOnce) {
    const test::TempDir dir;
    std::vector<bool> results;
    auto db = open_numbers(dir);
    ASSERT_TRUE(db.execute("PRAGMA busy_timeout = 20"));
    auto other = Database::open(dir / "w.db", Database::Mode::read_write);
    {
        std::promise<void> reached, go;
        Writer writer(std::move(db));
        // The lock comes between the batch that holds the writer up and the next one.
        writer.submit([](Database&) -> Result<void> { return {}; },
                      [&](const Result<void>&) {
                          reached.set_value();
                          go.get_future().wait();
                      });
        reached.get_future().wait();
        ASSERT_TRUE(other->execute("BEGIN IMMEDIATE"));
        for (std::int64_t x = 0; x < 10; ++x) {
            writer.submit(insert(x), [&](const Result<void>& r) {
                if (results.empty()) EXPECT_TRUE(other->execute("ROLLBACK"));
                results.push_back(r.has_value());
            });
        }
        go.set_value();
    }
    EXPECT_EQ(results, std::vector<bool>(10, false));
    EXPECT_EQ(count(dir), 0);
}

TEST(Writer, WhatIsCommittedIsSeenWhenDoneIsCalled) {
    const test::TempDir dir;
    Writer writer(open_numbers(dir));
    std::promise<std::int64_t> seen;
    writer.submit(insert(1), [&](const Result<void>&) { seen.set_value(count(dir)); });
    EXPECT_EQ(seen.get_future().get(), 1);
}

TEST(Writer, PastTheQueueLimitWritesAreRefusedAtOnce) {
    const test::TempDir dir;
    std::size_t ok = 0, refused = 0;
    {
        Plug plug;  // outlives the writer, whose thread looks into it
        Writer writer(open_numbers(dir));
        plug.put(writer);
        const auto nothing = [](Database&) -> Result<void> { return {}; };
        for (std::size_t i = 0; i < Writer::kQueuedMax; ++i) writer.submit(nothing, [&](const Result<void>&) { ++ok; });
        writer.submit(nothing, [&](const Result<void>& r) { refused += r ? 0 : 1; });
        EXPECT_EQ(refused, 1U);
        plug.go.set_value();
    }
    EXPECT_EQ(ok, Writer::kQueuedMax);
}

}  // namespace
}  // namespace drover::store
