#include <gtest/gtest.h>

#include <vector>

#include "store/sqlite.hpp"
#include "support/temp_dir.hpp"

namespace drover::store {
namespace {

class StatementTest : public ::testing::Test {
protected:
    StatementTest() {
        EXPECT_TRUE(
            db.execute("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1), (2), (3)"));
    }
    std::vector<std::int64_t> rows(Statement& s) {
        std::vector<std::int64_t> all;
        while (*s.step()) all.push_back(s.integer(0));
        return all;
    }

    test::TempDir dir;
    Database db = std::move(*Database::open(dir / "x.db", Database::Mode::read_write));
    static constexpr std::string_view kAbove = "SELECT n FROM t WHERE n > ? ORDER BY n";
};

// What was compiled is used again, so nothing of its last use may be left in it.
TEST_F(StatementTest, TheNextOneBeginsAnew) {
    {
        auto first = db.prepare(kAbove);
        first->bind(std::int64_t{1});
        ASSERT_TRUE(*first->step());
    }
    auto unbound = db.prepare(kAbove);
    EXPECT_TRUE(rows(*unbound).empty()) << "n > NULL is never true: a value was left";
    unbound->reset();
    unbound->bind(std::int64_t{0});
    EXPECT_EQ(rows(*unbound), (std::vector<std::int64_t>{1, 2, 3}));
}

TEST_F(StatementTest, TwoOfTheSameTextAtOnce) {
    auto outer = db.prepare(kAbove);
    outer->bind(std::int64_t{0});
    std::vector<std::size_t> inner_rows;
    while (*outer->step()) {
        auto inner = db.prepare(kAbove);
        inner->bind(outer->integer(0));
        inner_rows.push_back(rows(*inner).size());
    }
    EXPECT_EQ(inner_rows, (std::vector<std::size_t>{2, 1, 0}));
}

// A reader that stopped half way must not keep the log from being folded back.
TEST_F(StatementTest, OneThatIsLetGoEndsItsTransaction) {
    {
        auto half = db.prepare(kAbove);
        half->bind(std::int64_t{0});
        ASSERT_TRUE(*half->step());
    }
    auto other = Database::open(dir / "x.db", Database::Mode::read_write);
    ASSERT_TRUE(other->execute("INSERT INTO t VALUES (4)"));
    auto checkpoint = other->prepare("PRAGMA wal_checkpoint(TRUNCATE)");
    ASSERT_TRUE(*checkpoint->step());
    EXPECT_EQ(checkpoint->integer(0), 0) << "blocked by the statement that was let go";
}

TEST_F(StatementTest, SurvivesThatItsTableChanges) {
    { auto before = db.prepare(kAbove); }
    ASSERT_TRUE(db.execute("DROP TABLE t; CREATE TABLE t (x TEXT, n INTEGER); INSERT INTO t VALUES ('a', 7)"));
    auto after = db.prepare(kAbove);
    after->bind(std::int64_t{0});
    EXPECT_EQ(rows(*after), (std::vector<std::int64_t>{7}));
}

TEST_F(StatementTest, ManyTextsAreNotKeptWithoutEnd) {
    for (std::size_t i = 0; i < 3 * Database::kStatementsKept; ++i) {
        auto one = db.prepare("SELECT " + std::to_string(i));
        ASSERT_TRUE(*one->step());
        EXPECT_EQ(one->integer(0), static_cast<std::int64_t>(i));
    }
    auto again = db.prepare("SELECT 150");
    ASSERT_TRUE(*again->step());
    EXPECT_EQ(again->integer(0), 150);
}

}  // namespace
}  // namespace drover::store
