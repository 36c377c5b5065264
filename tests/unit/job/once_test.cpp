// host-run with `once`: one program for all phones.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <future>

#include "job/once_runs.hpp"
#include "unit/job/job_fixture.hpp"

namespace drover::test {
namespace {

using testing::HasSubstr;

std::vector<Row> once_rows(const std::string& step, std::size_t phones = 4) {
    FakeFleet fleet(phones, 2);
    Rows rows;
    dispatch::dispatch(request(play_on(fleet), job_of(step)), rows)->wait();
    EXPECT_EQ(rows.rows.size(), phones);
    return rows.rows;
}

TEST(Once, AllPhonesGetItsOutput) {
    for (const Row& row :
         once_rows("- {name: a, register: a, host-run: {shell: echo hello; echo you >&2, once: true}}\n"
                   "- {name: b, run: 'out {{ outputs.a.stdout }}-{{ outputs.a.stderr }}'}\n")) {
        EXPECT_TRUE(row.ok()) << row.error_msg;
        EXPECT_THAT(row.execute_msg, HasSubstr("'hello'-'you'\n")) << row.instance_id;
        EXPECT_EQ(row.steps[0].output_bytes, 10U) << row.instance_id;
    }
}

TEST(Once, IsTriedAgainForAll) {
    const TempDir dir;
    const auto file = (dir / "f").string();
    const auto step = fmt::format(
        "- {{name: a, retry: {{max: 3, on: [user], backoff: 1ms}}, "
        "host-run: {{shell: 'echo x >>{0}; test $(wc -l <{0}) -ge 3', once: true}}}}\n",
        file);
    for (const Row& row : once_rows(step)) EXPECT_EQ(told(row), "a:0 ") << row.instance_id;
    EXPECT_EQ(read_file(file), "x\nx\nx\n");
}

TEST(Once, FailsForAllWhenItFailedOftenEnough) {
    const TempDir dir;
    const auto file = (dir / "f").string();
    const auto step = fmt::format(
        "- {{name: a, retry: {{max: 1, on: [user], backoff: 1ms}}, "
        "host-run: {{shell: 'echo x >>{}; exit 4', once: true}}}}\n",
        file);
    for (const Row& row : once_rows(step)) EXPECT_EQ(told(row), "a:CPS.01914 ") << row.instance_id;
    EXPECT_EQ(read_file(file), "x\nx\n");
}

struct Quiet final : job::HostListener {
    void on_output(OutputStream, std::string, std::function<void()> more) override { more(); }
    void on_end(const Result<int>&) override {}
};

// A program that waits until somebody opens its pipe for writing.
struct Waiting {
    TempDir dir;
    std::string pipe = (dir / "pipe").string();
    job::HostRunner runner;
    std::promise<job::OnceResult> first, second;

    Waiting() {
        ::mkfifo(pipe.c_str(), 0600);
        EXPECT_TRUE(runner.once().join(0, 1, 7, [this](const job::OnceResult& r) { first.set_value(r); }));
        runner.once().start(0, 1, {{"sh", "-c", "echo begun; cat " + pipe}, {}, {}}, std::make_shared<Quiet>());
        EXPECT_FALSE(runner.once().join(0, 1, 8, [this](const job::OnceResult& r) { second.set_value(r); }));
    }
};

TEST(Once, WhoeverBeganItMayLeave) {
    Waiting w;
    ASSERT_TRUE(w.runner.once().leave(0, 7, Error(Code::timeout, "too long for 7")));
    const int fd = ::open(w.pipe.c_str(), O_WRONLY | O_CLOEXEC);  // waits for the reader
    EXPECT_EQ(::write(fd, "done\n", 5), 5);
    ::close(fd);
    const auto result = w.second.get_future().get();
    EXPECT_EQ(result.outcome.code, Code::ok);
    std::string text;
    for (const auto& piece : result.output) text += piece.bytes;
    EXPECT_EQ(text, "begun\ndone\n");
}

TEST(Once, ItEndsWhenNobodyWaits) {
    Waiting w;
    EXPECT_TRUE(w.runner.once().leave(0, 8, Error(Code::cancelled, "stop")));
    EXPECT_FALSE(w.runner.once().leave(0, 7, Error(Code::timeout, "too long for 7")));
    const auto result = w.first.get_future().get();
    EXPECT_EQ(result.outcome.code, Code::timeout);
    EXPECT_THAT(result.outcome.message, HasSubstr("too long for 7"));
    // Who comes later is told the same.
    std::promise<job::OnceResult> late;
    EXPECT_FALSE(w.runner.once().join(0, 1, 9, [&](const job::OnceResult& r) { late.set_value(r); }));
    EXPECT_EQ(late.get_future().get().outcome.code, Code::timeout);
}

}  // namespace
}  // namespace drover::test
