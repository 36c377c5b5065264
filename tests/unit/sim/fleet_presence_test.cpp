// Phones over real sockets that are away, come back, and boot.
#include <sys/wait.h>

#include <set>
#include <string>
#include <thread>

#include "unit/sim/fleet_fixture.hpp"

namespace drover::test {
namespace {

using sim::FaultKind;

// Connects until the phone takes the connection and greets.
std::unique_ptr<PhoneClient> connect_when_present(const std::string& address) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < deadline) {
        auto client = std::make_unique<PhoneClient>(address);
        if (client->connected() && client->hello()) return client;
    }
    return nullptr;
}

TEST(Fleet, ARebootDropsTheLinkStaysAwayAndBootsSlowly) {
    sim::Profile p = sim::modern_profile();
    p.absent_time = Millis(300);
    p.boot_time = Millis(500);
    const auto fleet = start_fleet(1, p);
    PhoneClient client(fleet->address(0));
    ASSERT_TRUE(client.hello());
    EXPECT_EQ(client.run("getprop sys.boot_completed").out, "1\n");
    client.open("reboot:");
    EXPECT_TRUE(client.wait_for_end());
    EXPECT_FALSE(PhoneClient(fleet->address(0)).connected());
    const auto back = connect_when_present(fleet->address(0));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->run("getprop sys.boot_completed").out, "\n");
    while (back->run("getprop sys.boot_completed").out != "1\n") ASSERT_FALSE(back->ended());
}

// As a command between fork and exec does, for long: a process with copies of all descriptors there are.
class CopyOfAllDescriptors {
public:
    CopyOfAllDescriptors() : pid_(::fork()) {
        if (pid_ == 0) {
            for (;;) ::pause();
        }
    }
    ~CopyOfAllDescriptors() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

private:
    pid_t pid_;
};

sim::Profile quick_reboots() {
    sim::Profile p = sim::modern_profile();
    p.absent_time = Millis(100);
    p.boot_time = Millis(0);
    return p;
}

TEST(Fleet, APhoneComesBackThoughAForkedProcessHoldsItsListener) {
    const auto fleet = start_fleet(1, quick_reboots());
    const CopyOfAllDescriptors copy;
    for (int i = 0; i < 2; ++i) {
        const auto client = connect_when_present(fleet->address(0));
        ASSERT_TRUE(client);
        client->open("reboot:");
        EXPECT_TRUE(client->wait_for_end());
    }
    EXPECT_TRUE(connect_when_present(fleet->address(0)));
}

// Takes the port of a phone that is away.
UniqueFd listen_on(const std::string& address) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int yes = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(fd.get(), 8) != 0) fd.reset();
    return fd;
}

TEST(Fleet, APhoneWhosePortWasTakenWhileItWasAwayComesBackWhenItIsFree) {
    const auto fleet = start_fleet(1, quick_reboots());
    UniqueFd thief;
    fleet->with_phone(0, [&](sim::VirtualPhone& phone) {
        phone.restart(false);
        thief = listen_on(fleet->address(0));
    });
    ASSERT_TRUE(thief);
    // Longer than the phone is away: it wants its port meanwhile, and must not take another one instead.
    PhoneClient client(fleet->address(0));
    EXPECT_TRUE(client.connected());
    EXPECT_FALSE(client.receive(400));
    thief.reset();
    EXPECT_TRUE(connect_when_present(fleet->address(0)));
}

TEST(Fleet, ARunningCommandSeesTheBootEnd) {
    sim::Profile p = sim::modern_profile();
    p.set_fault(FaultKind::slow_boot);
    p.fault(FaultKind::slow_boot).value = 700;
    const auto fleet = start_fleet(1, p);
    NEEDS_REAL_SHELL(fleet);
    PhoneClient client(fleet->address(0));
    ASSERT_TRUE(client.hello());
    EXPECT_EQ(client.run("until [ \"$(getprop sys.boot_completed)\" = 1 ]; do sleep 0.05; done; echo booted").out,
              "booted\n");
}

TEST(Fleet, AnAbsentPhoneRefusesConnections) {
    sim::Profile p = sim::modern_profile();
    p.set_fault(FaultKind::absent);
    const auto fleet = start_fleet(1, p);
    EXPECT_FALSE(PhoneClient(fleet->address(0)).connected());
}

TEST(Fleet, APhoneMayHaveAnotherSerialNumberAtEachConnection) {
    sim::Profile p = sim::modern_profile();
    p.set_fault(FaultKind::new_serial);
    const auto fleet = start_fleet(1, p);
    std::set<std::string> seen;
    for (int i = 0; i < 10; ++i) seen.insert(connect_when_present(fleet->address(0))->run("getprop ro.serialno").out);
    EXPECT_GT(seen.size(), 1u);
    for (const auto& serial : seen) EXPECT_THAT(serial, testing::MatchesRegex("NEWSERIAL[01][0-9]\n"));
}

TEST(Fleet, AFlappingPhoneGoesAndComes) {
    sim::Profile p = sim::modern_profile();
    p.set_fault(FaultKind::flapping);
    p.fault(FaultKind::flapping).value = 100;
    p.fault(FaultKind::flapping).down = Millis(100);
    const auto fleet = start_fleet(1, p);
    for (int i = 0; i < 3; ++i) {
        const auto client = connect_when_present(fleet->address(0));
        ASSERT_TRUE(client);
        EXPECT_TRUE(client->wait_for_end());
    }
}

}  // namespace
}  // namespace drover::test
