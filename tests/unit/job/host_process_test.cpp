// Programs of this host, as HostRunner starts them.
#include <gmock/gmock.h>
#include <pthread.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <new>

#include "job/host_runner.hpp"
#include "support/sanitizers.hpp"
#include "support/temp_dir.hpp"

// The sanitizers bring an operator new of their own.
#if !defined(DROVER_TEST_ASAN) && !defined(DROVER_TEST_TSAN)
namespace {

constexpr int kAllocatedInChild = 99;
bool looks = false;
bool in_child_of_fork = false;  // set in the copy of this process only

void* allocate(std::size_t bytes) {
    if (in_child_of_fork) ::_exit(kAllocatedInChild);
    if (void* made = std::malloc(bytes > 0 ? bytes : 1)) return made;
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes); }
void* operator new[](std::size_t bytes) { return allocate(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return std::malloc(bytes > 0 ? bytes : 1); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return std::malloc(bytes > 0 ? bytes : 1); }
void operator delete(void* made) noexcept { std::free(made); }
void operator delete[](void* made) noexcept { std::free(made); }
void operator delete(void* made, std::size_t) noexcept { std::free(made); }
void operator delete[](void* made, std::size_t) noexcept { std::free(made); }
#endif

namespace drover::job {
namespace {

class ProgramEnd final : public HostListener {
public:
    void on_output(OutputStream, std::string bytes, std::function<void()> more) override {
        text += bytes;
        more();
    }
    void on_end(const Result<int>& exit) override { ended.set_value(exit); }
    std::promise<Result<int>> ended;
    std::string text;  // read once it has ended
};

// What a program printed, and its exit code or why there is none.
std::string ran(HostCommand command) {
    HostRunner runner;
    const auto end = std::make_shared<ProgramEnd>();
    const auto program = runner.start(std::move(command), end);
    const auto exit = end->ended.get_future().get();
    return end->text + (exit ? std::to_string(*exit) : exit.error().message);
}

#if !defined(DROVER_TEST_ASAN) && !defined(DROVER_TEST_TSAN)
// The allocator's lock may be held by a thread that the child does not have.
TEST(HostProcess, TheChildAllocatesNothing) {
    ::pthread_atfork(nullptr, nullptr, [] { in_child_of_fork = looks; });
    looks = true;
    EXPECT_EQ(ran({{"sh", "-c", "exit 3"}, {}, {}}), "3");
    looks = false;
}
#endif

TEST(HostProcess, ItHasItsDirectoryItsGroupAndThreeDescriptors) {
    const test::TempDir dir;
    EXPECT_EQ(ran({{"sh", "-c", "pwd"}, {}, dir.path()}), dir.path().string() + "\n0");
    EXPECT_EQ(ran({{"sh", "-c", "echo $A; [ $(ps -o pgid= $$) = $$ ]"}, {{"A", "b c"}}, {}}), "b c\n0");
    const int inherited = ::dup(STDERR_FILENO);  // without close-on-exec
    EXPECT_EQ(ran({{"test", "-e", "/proc/self/fd/" + std::to_string(inherited)}, {}, {}}), "1");
    EXPECT_EQ(ran({{"test", "-e", "/proc/self/fd/2"}, {}, {}}), "0");
    ::close(inherited);
}

TEST(HostProcess, WhyThereIsNoProgramIsTold) {
    const test::TempDir dir;
    const auto script = dir.write("script", "#!/nowhere/sh\n");
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    EXPECT_EQ(ran({{script.string()}, {}, {}}), script.string() + ": No such file or directory");
    EXPECT_EQ(ran({{"sh", "-c", "true"}, {}, "/nowhere"}), "sh: No such file or directory");
}

}  // namespace
}  // namespace drover::job
