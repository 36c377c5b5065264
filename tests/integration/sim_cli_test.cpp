// `drover sim` as a program: what it prints, how it ends, what it refuses.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/unique_fd.hpp"
#include "support/drover.hpp"
#include "unit/sim/phone_client.hpp"

namespace drover::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(SimCli, SaysWhenAllListenAndEndsWithZeroOnTermAndInt) {
    for (const int number : {SIGTERM, SIGINT}) {
        SimProcess sim(3);
        EXPECT_EQ(sim.process().out(), "ready: 3 phones\n");
        sim.process().signal(number);
        EXPECT_EQ(sim.process().wait(), (ExitStatus{0, std::nullopt}));
        EXPECT_EQ(sim.process().err(), "");
    }
}

std::string first_address(const SimProcess& sim) {
    const auto text = read_file(sim.inventory());
    const auto at = text.find("address: '") + 10;
    return text.substr(at, text.find('\'', at) - at);
}

// What a command has started in the background, by its process number.
UniqueFd background_process(PhoneClient& client) {
    const auto stream = client.open("shell,v2,raw:sleep 10000 & echo $!; wait");
    const auto p = stream.theirs != 0 ? client.receive() : std::nullopt;
    if (!p || p->name != "WRTE" || p->payload.size() < 6 || p->payload[0] != 1) return {};
    return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(p->payload.substr(5)), 0)));
}

bool wait_until_ended(const UniqueFd& process) {
    pollfd p{process.get(), POLLIN, 0};
    return ::poll(&p, 1, static_cast<int>(kWaitMax.count())) == 1;
}

TEST(SimCli, NothingIsLeftRunningHoweverItEnds) {
    for (const int number : {SIGTERM, SIGKILL}) {
        SimProcess sim(1);
        PhoneClient client(first_address(sim));
        ASSERT_TRUE(client.hello());
        const auto process = background_process(client);
        if (!process) GTEST_SKIP() << "no real shell here";
        sim.process().signal(number);
        ASSERT_TRUE(sim.process().wait());
        EXPECT_TRUE(wait_until_ended(process)) << "after signal " << number;
    }
}

TEST(SimCli, TheWrittenInventoryListsEveryPhone) {
    SimProcess sim(3);
    const auto text = read_file(sim.inventory());
    EXPECT_THAT(text, HasSubstr("version: 1\n"));
    for (const char* id : {"vphone-0001", "vphone-0002", "vphone-0003"}) EXPECT_THAT(text, HasSubstr(id));
}

TEST(SimCli, PortsPastTheEndAreAUsageError) {
    const auto done = run_drover({"sim", "--count", "10", "--port", "65530"});
    EXPECT_EQ(done.code(), 2);
    EXPECT_THAT(done.err, HasSubstr("pass port 65535"));
    EXPECT_EQ(done.out, "");
}

TEST(SimCli, ABadProfileIsOneErrorThatSaysWhere) {
    const TempDir dir;
    const auto path = dir.write("p.yaml", "version: 1\nprotocol: ancient\n").string();
    const auto done = run_drover({"sim", "--count", "1", "--port", "0", "--profile", path});
    EXPECT_EQ(done.code(), 2);
    EXPECT_THAT(done.err, StartsWith("drover: " + path + ":2:11: "));
    EXPECT_EQ(run_drover({"sim", "--count", "1", "--profile", (dir / "none.yaml").string()}).code(), 2);
}

TEST(SimCli, AnotherAddressThanLoopbackNeedsTrustedKeys) {
    const auto done = run_drover({"sim", "--count", "1", "--port", "0", "--host", "0.0.0.0"});
    EXPECT_EQ(done.code(), 2);
    EXPECT_THAT(done.err, HasSubstr("auth: trusted"));
}

TEST(SimCli, WrongCountsAndHostsAreUsageErrors) {
    EXPECT_EQ(run_drover({"sim", "--count", "0"}).code(), 2);
    EXPECT_EQ(run_drover({"sim", "--count", "many"}).code(), 2);
    EXPECT_EQ(run_drover({"sim", "--host", "localhost", "--count", "1", "--port", "0"}).code(), 2);
}

TEST(SimCli, ATakenPortIsNamed) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(fd, 1), 0);
    ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    const auto port = std::to_string(ntohs(address.sin_port));
    const auto done = run_drover({"sim", "--count", "1", "--port", port});
    ::close(fd);
    EXPECT_NE(done.code(), 0);
    EXPECT_THAT(done.err, HasSubstr("127.0.0.1:" + port));
}

TEST(SimCli, AnInventoryThatCannotBeWrittenIsAnError) {
    const auto done = run_drover({"sim", "--count", "1", "--port", "0", "--write-inventory", "/no/such/folder/i.yaml"});
    EXPECT_NE(done.code(), 0);
    EXPECT_THAT(done.err, HasSubstr("/no/such/folder/i.yaml"));
}

}  // namespace
}  // namespace drover::test
