// A phone's commands cannot hurt the host. Shown without danger: identity, limits, a refused signal of kind 0, writes that
// are refused, and a `reboot` that the virtual phone answers.
#include "sim/sandbox.hpp"

#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "sim/userland_programs.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "unit/sim/fleet_fixture.hpp"

namespace drover::test {
namespace {

using ::testing::HasSubstr;

class SandboxTest : public ::testing::Test {
protected:
    void SetUp() override {
        fleet = start_fleet();
        ASSERT_TRUE(fleet);
        NEEDS_REAL_SHELL(fleet);
        client = std::make_unique<PhoneClient>(fleet->address(0));
        ASSERT_TRUE(client->hello());
    }
    PhoneClient::Ran run(const std::string& command) { return client->run(command); }
    std::unique_ptr<sim::Fleet> fleet;
    std::unique_ptr<PhoneClient> client;
};

TEST_F(SandboxTest, RootBecomesAUserOfThePhonesOwn) {
    if (::geteuid() != 0) GTEST_SKIP() << "not root";
    const auto status = run("cat /proc/self/status").out;
    unsigned uids[4] = {}, gids[4] = {};
    ASSERT_EQ(
        std::sscanf(status.c_str() + status.find("\nUid:") + 5, "%u %u %u %u", &uids[0], &uids[1], &uids[2], &uids[3]),
        4);
    ASSERT_EQ(
        std::sscanf(status.c_str() + status.find("\nGid:") + 5, "%u %u %u %u", &gids[0], &gids[1], &gids[2], &gids[3]),
        4);
    for (const unsigned id : uids) EXPECT_GT(id, 1000u);
    for (const unsigned id : gids) EXPECT_GT(id, 1000u);
    EXPECT_THAT(status, HasSubstr("\nGroups:\t \n"));
    EXPECT_THAT(status, HasSubstr("\nCapEff:\t0000000000000000\n"));
    EXPECT_THAT(status, HasSubstr("\nCapPrm:\t0000000000000000\n"));
}

TEST_F(SandboxTest, NoNewPrivilegesAndAFilter) {
    EXPECT_EQ(run("grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status").out, "NoNewPrivs:\t1\nSeccomp:\t2\n");
}

TEST_F(SandboxTest, Limits) {
    const auto limits = run("cat /proc/self/limits").out;
    for (const char* line :
         {"Max core file size        0 ", "Max file size             67108864 ", "Max open files            128 ",
          "Max address space         536870912 ", "Max cpu time              600 "}) {
        EXPECT_THAT(limits, HasSubstr(line));
    }
    if (::geteuid() == 0) EXPECT_THAT(limits, HasSubstr("Max processes             64 "));
}

// Behind the filter each of these is refused at once. Without it they would still do nothing: no such key, queue or name.
TEST(SystemCallFilter, RefusesSharedMemorySemaphoresAndQueues) {
    const auto filter = sim::make_filter({});
    if (filter.empty()) GTEST_SKIP() << "no filter on this processor";
    struct Call {
        const char* name;
        long number;
    };
    static constexpr Call kCalls[] = {
        {"shmget", SYS_shmget},       {"shmat", SYS_shmat},
        {"shmctl", SYS_shmctl},       {"semget", SYS_semget},
        {"semop", SYS_semop},         {"semtimedop", SYS_semtimedop},
        {"semctl", SYS_semctl},       {"msgget", SYS_msgget},
        {"msgsnd", SYS_msgsnd},       {"msgrcv", SYS_msgrcv},
        {"msgctl", SYS_msgctl},       {"mq_open", SYS_mq_open},
        {"mq_unlink", SYS_mq_unlink}, {"memfd_create", SYS_memfd_create},
    };
    for (const Call& call : kCalls) {
        const pid_t child = ::fork();
        if (child == 0) {
            const sock_fprog program{static_cast<unsigned short>(filter.size()),
                                     const_cast<sock_filter*>(filter.data())};
            if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
                ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
                ::_exit(2);
            }
            constexpr long kNoSuch = 0x7ffffffe;  // a key; as a pointer it points nowhere
            const bool refused = ::syscall(call.number, kNoSuch, 0, 0, 0, 0) == -1 && errno == EPERM;
            ::_exit(refused ? 0 : 1);
        }
        int status = -1;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0) << call.name;
    }
}

TEST_F(SandboxTest, TheEnvironmentIsThePhones) {
    ::setenv("DROVER_TEST_SECRET", "secret", 1);
    const auto env = run("env").out;
    ::unsetenv("DROVER_TEST_SECRET");
    EXPECT_EQ(env.find("SECRET"), std::string::npos);
    EXPECT_THAT(env, HasSubstr("HOSTNAME=vphone-0001\n"));
}

TEST_F(SandboxTest, NoDescriptorOfTheHostIsInherited) {
    // Pipes, and what ls itself has opened; the other line is ls's "total 0".
    EXPECT_EQ(run("ls -l /proc/self/fd | grep -v -e ' pipe:' -e ' /proc/'").out, "total 0\n");
}

TEST_F(SandboxTest, TheHarnessIsOutOfReachOfSignals) {
    const auto ran = run("kill -0 " + std::to_string(::getpid()));
    EXPECT_EQ(ran.exit_code, 1);
    EXPECT_NE(ran.err, "");
    EXPECT_EQ(run("kill -0 1").exit_code, 1);
    EXPECT_EQ(run("sleep 100 & kill -0 $! && kill -9 $! && echo own").out, "own\n");
}

TEST_F(SandboxTest, WritesBesideThePhonesDirectoryAreRefused) {
    const TempDir dir;
    std::filesystem::permissions(dir.path(), std::filesystem::perms::all);
    const auto file = dir.write("file", "before");
    std::filesystem::permissions(file, std::filesystem::perms::all);
    if (sim::landlock_abi() == 0)
        GTEST_SKIP() << "no Landlock: only the phone's user keeps it out of places others may not write";
    const std::string path = dir.path().string();
    for (const std::string& command :
         {"echo x > " + path + "/new", "echo x > " + path + "/file", "echo x >> " + path + "/file",
          "mkdir " + path + "/d", "rm " + path + "/file", fmt::format("mv {0}/file {0}/g", path),
          "ln -s x " + path + "/l", "cat " + path + "/file", "cp /proc/version " + path + "/c",
          "truncate -s 0 " + path + "/file", "mkfifo " + path + "/p", "ls " + path}) {
        EXPECT_NE(run(command).exit_code, 0) << command;
    }
    EXPECT_EQ(read_file(file), "before");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
    EXPECT_NE(run("echo x > ../beside").exit_code, 0);
    EXPECT_NE(run("echo x > ../bin/ls").exit_code, 0);
    EXPECT_EQ(run("echo x > inside && cat inside").out, "x\n");
}

TEST_F(SandboxTest, AProgramOfItsOwnStaysInsideTheSameWalls) {
    // A copy of a program in the phone's own directory runs, as it would in /data/local/tmp, but within the walls.
    EXPECT_EQ(run("cp /usr/bin/toybox tmp/toybox; chmod 700 tmp/toybox; tmp/toybox echo hi").out, "hi\n");
    EXPECT_NE(run("cp /usr/bin/toybox tmp/touch; chmod 700 tmp/touch; tmp/touch ../beside").exit_code, 0);
}

TEST_F(SandboxTest, OnlyAllowListedProgramsAreOnThePath) {
    for (const char* name : {"mount",    "umount",   "insmod", "rmmod",   "swapoff",  "chroot", "su",
                             "ifconfig", "nc",       "wget",   "dmesg",   "sysctl",   "mknod",  "nsenter",
                             "unshare",  "poweroff", "halt",   "killall", "killall5", "toybox", "python3"}) {
        EXPECT_EQ(run(std::string("which ") + name + " >/dev/null && echo found").out, "") << name;
    }
    EXPECT_THAT(run("which reboot").out, HasSubstr("/bin/reboot"));
    EXPECT_EQ(run("head -c 2 $(which reboot)").out, "#!");
}

TEST_F(SandboxTest, AnAppletIsThereWhenTheHostsToyboxHasIt) {
    ProcessOptions options;
    options.argv = {"toybox"};
    std::istringstream words(drover::test::run(std::move(options)).out);
    const std::set<std::string> host{std::istream_iterator<std::string>(words), {}};
    std::istringstream names(run("ls $PATH").out);
    const std::set<std::string> phone{std::istream_iterator<std::string>(names), {}};
    EXPECT_TRUE(phone.contains("sort"));
    for (const std::string_view applet : sim::allowed_applets()) {
        const std::string name(applet);
        const bool replaced = name == "id" || name == "touch";  // by a program of the phone's own
        if (!replaced) EXPECT_EQ(phone.contains(name), host.contains(name)) << name;
    }
}

TEST_F(SandboxTest, AFileIsOnlySoLong) {
    EXPECT_NE(
        run("i=0; until ! cat /usr/bin/toybox >> big; do i=$((i+1)); [ $i -gt 400 ] && exit 0; done; exit 1").exit_code,
        0);
    EXPECT_EQ(run("stat -c %s big").out, "67108864\n");
}

TEST_F(SandboxTest, APhonePastItsDiskBudgetRunsNothingMore) {
    EXPECT_EQ(run("i=0; while [ $i -lt 4096 ]; do : >tmp/f$i; i=$((i+1)); done").exit_code, 0);
    const auto ran = run("echo more;");
    EXPECT_EQ(ran.exit_code, 126);
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(
        ran.err,
        "sh: no room on this phone: its directory has more than 4096 files; a new `drover sim` begins with an empty "
        "one\n");
}

TEST_F(SandboxTest, RebootIsTheVirtualPhones) {
    EXPECT_TRUE(run("echo going; reboot").lost);
    PhoneClient early(fleet->address(0));
    EXPECT_FALSE(early.connected());
    EXPECT_EQ(::kill(::getpid(), 0), 0);
}

TEST_F(SandboxTest, ShutdownIsTheVirtualPhones) {
    EXPECT_TRUE(run("shutdown now;").lost);
    EXPECT_FALSE(PhoneClient(fleet->address(0)).connected());
}

}  // namespace
}  // namespace drover::test
