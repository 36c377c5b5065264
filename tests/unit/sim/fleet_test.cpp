// Fleets over real sockets: addresses, scripted answers, faults of output.
#include <sys/wait.h>

#include <set>
#include <thread>

#include "sim/port_picker.hpp"
#include "sim/shared_listener.hpp"
#include "sim/shell_output.hpp"
#include "unit/sim/fleet_fixture.hpp"

namespace drover::test {
namespace {

using adb::Command;
using sim::FaultKind;
using ::testing::HasSubstr;

std::string failure(sim::FleetOptions options) {
    auto fleet = sim::Fleet::start(std::move(options));
    EXPECT_FALSE(fleet);
    return fleet ? "" : fleet.error().message;
}

TEST(Fleet, EveryPhoneHasItsAddressAndIsItself) {
    const auto fleet = start_fleet(5);
    ASSERT_TRUE(fleet);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(fleet->id(i), "vphone-000" + std::to_string(i + 1));
        PhoneClient client(fleet->address(i));
        ASSERT_TRUE(client.hello());
        EXPECT_EQ(client.run("getprop ro.serialno").out, fleet->id(i) + "\n");
    }
}

TEST(Fleet, TheInventoryNamesAddresses) {
    const auto fleet = start_fleet(2);
    EXPECT_THAT(fleet->inventory(), HasSubstr("version: 1\ninstances:\n"));
    EXPECT_THAT(fleet->inventory(), HasSubstr("{id: vphone-0002, via: tcp, address: '" + fleet->address(1) + "'}"));
}

TEST(Fleet, SeveralClientsOfOnePhoneAreServedBesideEachOther) {
    const auto fleet = start_fleet();
    PhoneClient a(fleet->address(0)), b(fleet->address(0));
    ASSERT_TRUE(a.hello() && b.hello());
    EXPECT_EQ(a.open("shell,v2,raw:sleep 1000").theirs, 1u);
    EXPECT_EQ(b.open("shell,v2,raw:sleep 1000").theirs, 2u);
    EXPECT_EQ(a.run("echo a").out, "a\n");
    EXPECT_EQ(b.run("echo b").out, "b\n");
}

TEST(Fleet, PortsAreConsecutiveAndATakenOneIsAnError) {
    const auto first = start_fleet();
    sim::FleetOptions taken;
    const std::string address = first->address(0);
    taken.port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    EXPECT_THAT(failure(std::move(taken)), HasSubstr("cannot listen on " + address));
}

unsigned port_of(const std::string& address) {
    return static_cast<unsigned>(std::stoi(address.substr(address.rfind(':') + 1)));
}

// The contract: neither where adb looks for emulators nor where the system takes ports for outgoing connections.
TEST(Fleet, SeveralAtOnceFindFreePortsBelowTheSystemsOwn) {
    constexpr std::size_t kFleets = 3, kPhones = 300;
    std::unique_ptr<sim::Fleet> fleets[kFleets];
    std::vector<std::thread> threads;
    for (auto& fleet : fleets) threads.emplace_back([&fleet] { fleet = start_fleet(kPhones); });
    for (auto& thread : threads) thread.join();
    std::set<unsigned> ports;
    for (const auto& fleet : fleets) {
        ASSERT_TRUE(fleet);
        for (std::size_t i = 0; i < kPhones; ++i) ports.insert(port_of(fleet->address(i)));
    }
    EXPECT_EQ(ports.size(), kFleets * kPhones);
    EXPECT_GE(*ports.begin(), 16'384u);
    EXPECT_LE(*ports.rbegin(), 32'767u);
}

TEST(Fleet, ThePortOfAPhoneThatIsAwayIsNotFree) {
    sim::Profile p = sim::modern_profile();
    p.set_fault(FaultKind::absent);
    const auto away = start_fleet(1, p);
    const auto other = start_fleet();
    const unsigned taken = port_of(away->address(0));
    sim::PortPicker ports(taken - sim::PortPicker::kFirst);
    Result<sim::VirtualPhone::Endpoint> got;
    other->with_phone(
        0, [&](sim::VirtualPhone& phone) { got = phone.listen_any(boost::asio::ip::address_v4::loopback(), ports); });
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_NE(got->port(), taken);
}

TEST(PortPicker, GivesEachPortOnce) {
    sim::PortPicker ports(12'345'678);
    std::set<unsigned> seen;
    while (const auto port = ports.next()) seen.insert(*port);
    EXPECT_EQ(seen.size(), sim::PortPicker::kPorts);
    EXPECT_EQ(*seen.begin(), 16'384u);
    EXPECT_EQ(*seen.rbegin(), 32'767u);
    EXPECT_FALSE(ports.next());
}

TEST(Fleet, ManyOnOnePortHaveItInTheSameRange) {
    sim::Profile p = sim::modern_profile();
    p.real_shell = false;
    const auto fleet = start_fleet(sim::Fleet::kListenersMax + 1, p);
    ASSERT_TRUE(fleet);
    EXPECT_GE(port_of(fleet->address(0)), 16'384u);
    EXPECT_LE(port_of(fleet->address(0)), 32'767u);
}

TEST(Fleet, WrongOptionsAreUsageErrors) {
    sim::FleetOptions many;
    many.count = 10;
    many.port = 65'530;
    EXPECT_THAT(failure(std::move(many)), HasSubstr("pass port 65535"));
    sim::FleetOptions none;
    none.count = 0;
    EXPECT_THAT(failure(std::move(none)), HasSubstr("0 phones"));
    sim::FleetOptions name;
    name.host = "localhost";
    EXPECT_THAT(failure(std::move(name)), HasSubstr("'localhost' is no IPv4 address"));
}

TEST(Fleet, OtherThanLoopbackNeedsTrustedKeys) {
    sim::FleetOptions open;
    open.host = "0.0.0.0";
    EXPECT_THAT(failure(std::move(open)), HasSubstr("auth: trusted"));
}

TEST(Fleet, ThousandsShareOnePortOnManyLoopbackAddresses) {
    sim::Profile p = sim::modern_profile();
    p.real_shell = false;
    const auto fleet = start_fleet(1200, p);
    ASSERT_TRUE(fleet);
    EXPECT_THAT(fleet->address(0), HasSubstr("127.64.0.1:"));
    for (const std::size_t i : {0u, 253u, 254u, 1199u}) {
        PhoneClient client(fleet->address(i));
        ASSERT_TRUE(client.hello()) << fleet->address(i);
        EXPECT_EQ(client.run("getprop ro.serialno").out, fleet->id(i) + "\n");
    }
    // An address of the same net that is no phone's.
    const std::string port = fleet->address(0).substr(fleet->address(0).find(':'));
    PhoneClient nobody("127.127.0.1" + port);
    EXPECT_TRUE(nobody.wait_for_end());
}

TEST(SharedListener, AddressesAndPhonesBelongTogether) {
    for (const std::size_t i : {0u, 1u, 253u, 254u, 255u, 15'999u}) {
        const auto address = sim::SharedListener::address_of(i);
        EXPECT_TRUE(address.is_loopback());
        EXPECT_EQ(sim::SharedListener::phone_at(address), i);
    }
    EXPECT_EQ(sim::SharedListener::phone_at(boost::asio::ip::make_address_v4("127.64.0.0")), SIZE_MAX);
    EXPECT_EQ(sim::SharedListener::phone_at(boost::asio::ip::make_address_v4("127.0.0.1")), SIZE_MAX);
}

TEST(Fleet, ScriptedAnswersNeedNoProcess) {
    sim::Profile p = sim::modern_profile();
    p.real_shell = false;
    const auto fleet = start_fleet(1, p);
    PhoneClient client(fleet->address(0));
    ASSERT_TRUE(client.hello());
    EXPECT_EQ(client.run("true").exit_code, 0);
    EXPECT_EQ(client.run("false").exit_code, 1);
    EXPECT_EQ(client.run("exit 9").exit_code, 9);
    EXPECT_EQ(client.run("echo a b").out, "a b\n");
    EXPECT_EQ(client.run("ls -l").exit_code, 127);
    const auto big = client.run("sim-output 3000001");
    EXPECT_EQ(big.out.size(), 3'000'001u);
    EXPECT_EQ(big.out.substr(64 * 1000, 12), "000000001000");
    EXPECT_EQ(big.exit_code, 0);
}

TEST(Fleet, OutputOfAGivenSpeedTakesItsTime) {
    const auto fleet = start_fleet();
    PhoneClient client(fleet->address(0));
    ASSERT_TRUE(client.hello());
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(client.run("sim-output 30000 100000").out.size(), 30'000u);
    EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(280));
}

TEST(Fleet, ReplyDelayLiesBetweenOkayAndOutput) {
    sim::Profile p = sim::modern_profile();
    p.reply_delay = Millis(300);
    const auto fleet = start_fleet(1, p);
    PhoneClient client(fleet->address(0));
    ASSERT_TRUE(client.hello());
    const auto stream = client.open("shell,v2,raw:true");
    EXPECT_NE(stream.theirs, 0u);
    EXPECT_FALSE(client.receive(100));
    EXPECT_EQ(client.finish(stream).exit_code, 0);
}

TEST(Fleet, ASlowPhoneAnswersLateButRight) {
    sim::Profile p = sim::modern_profile();
    p.set_fault(FaultKind::slow);
    p.fault(FaultKind::slow).value = 150;
    const auto fleet = start_fleet(1, p);
    PhoneClient client(fleet->address(0));
    const auto before = std::chrono::steady_clock::now();
    ASSERT_TRUE(client.hello());
    EXPECT_EQ(client.run("echo hi").out, "hi\n");
    EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(300));
}

TEST(Fleet, HugeOutputComesBeforeTheTrueOne) {
    sim::Profile p = sim::modern_profile();
    p.set_fault(FaultKind::huge_output);
    p.fault(FaultKind::huge_output).value = 2'000'000;
    const auto fleet = start_fleet(1, p);
    PhoneClient client(fleet->address(0));
    ASSERT_TRUE(client.hello());
    const auto ran = client.run("echo end");
    EXPECT_EQ(ran.out.size(), 2'000'004u);
    EXPECT_TRUE(ran.out.ends_with("end\n"));
    EXPECT_EQ(ran.exit_code, 0);
}

TEST(Fleet, AnOldPhoneRunsPlainShellsWithCrLf) {
    const auto fleet = start_fleet(1, sim::old_profile());
    PhoneClient client(fleet->address(0));
    ASSERT_TRUE(client.hello());
    const auto stream = client.open("shell:echo hi");
    ASSERT_NE(stream.theirs, 0u);
    const auto p = client.receive();
    ASSERT_TRUE(p);
    EXPECT_EQ(p->payload, "hi\r\n");
    EXPECT_EQ(p->check, adb::checksum(as_bytes(p->payload)));
    EXPECT_EQ(client.open("exec:echo hi").theirs, 0u);
}

TEST(Fleet, AClientThatReadsNothingDoesNotGrowThePhone) {
    const auto fleet = start_fleet();
    PhoneClient client(fleet->address(0));
    ASSERT_TRUE(client.hello("host::features=shell_v2,delayed_ack"));
    // A window of 2 GiB: only the socket holds the phone back.
    client.send(Command::open, 1, 0x7fffffff, std::string("shell,v2,raw:sim-output 1000000000000\0", 38));
    ASSERT_TRUE(client.receive());
    std::size_t queued = 0;
    for (int i = 0; i < 100; ++i) {
        fleet->with_phone(0, [&](sim::VirtualPhone& phone) { queued = std::max(queued, phone.queued_bytes()); });
    }
    EXPECT_LE(queued, sim::DeviceLink::kQueueBytesMax + sim::ShellOutput::kPendingBytesMax + 100);
}

}  // namespace
}  // namespace drover::test
