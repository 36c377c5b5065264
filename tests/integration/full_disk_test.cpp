// A task store that takes nothing more: new tasks are refused with 9999, nothing that was accepted is lost.
#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include "support/serve.hpp"

namespace drover::test {
namespace {

using testing::HasSubstr;

const std::string kAsync = "/v1/instances/async-command";
const std::string kBody = R"({"command":"echo done","instance_ids":["vphone-0001","vphone-0002"]})";

class FullDisk : public testing::Test {
protected:
    static void SetUpTestSuite() { sim_ = std::make_unique<SimProcess>(2); }
    static void TearDownTestSuite() { sim_.reset(); }

    std::string accept() {
        const auto answer = call(home, serve, kAsync, kBody);
        EXPECT_EQ(answer.status, 200) << answer.body;
        return answer.status == 200 ? std::string(answer.json().at("data").at("task_id").as_string().c_str()) : "";
    }
    void expect_refused() {
        const auto answer = call(home, serve, kAsync, kBody);
        EXPECT_EQ(answer.status, 500) << answer.body;
        EXPECT_THAT(answer.body, HasSubstr("\"error_code\":\"KOOPHONE.API.9999\""));
        EXPECT_TRUE(serve.process().wait_for_error_line("a task was refused")) << "the log does not say why";
        // What needs no disk goes on.
        EXPECT_EQ(call(home, serve, "/v1/instances/sync-command", kBody).status, 200);
    }
    void expect_ended_well(const std::string& id) {
        const auto waited = home.drover({"task", "wait", id, "--timeout", "60s"});
        EXPECT_EQ(waited.code(), 0) << waited.err;
        EXPECT_THAT(waited.out, HasSubstr("vphone-0002: ok\ndone\n"));
    }
    std::string database() const { return (home.dir() / ".local/state/drover/drover.db").string(); }

    static std::unique_ptr<SimProcess> sim_;
    ServeHome home;
    ServeProcess serve{home, sim_->inventory()};
};
std::unique_ptr<SimProcess> FullDisk::sim_;

TEST_F(FullDisk, AFileThatMayNotGrow) {
    const auto before = accept();
    expect_ended_well(before);
    rlimit old{};
    const rlimit none{0, RLIM_INFINITY};
    ASSERT_EQ(::prlimit(serve.process().pid(), RLIMIT_FSIZE, &none, &old), 0);
    expect_refused();
    ASSERT_EQ(::prlimit(serve.process().pid(), RLIMIT_FSIZE, &old, nullptr), 0);
    expect_ended_well(accept());
    expect_ended_well(before);
    EXPECT_EQ(serve.stop(), 0);
}

TEST_F(FullDisk, ADatabaseThatAnotherProgramLocks) {
    const auto before = accept();
    sqlite3* db = nullptr;
    ASSERT_EQ(::sqlite3_open(database().c_str(), &db), SQLITE_OK);
    ASSERT_EQ(::sqlite3_busy_timeout(db, 30'000), SQLITE_OK);
    ASSERT_EQ(::sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    expect_refused();
    ASSERT_EQ(::sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
    ::sqlite3_close(db);
    expect_ended_well(before);
    expect_ended_well(accept());
    EXPECT_EQ(serve.stop(), 0);
}

}  // namespace
}  // namespace drover::test
