// What is read over USB, transfer by transfer: sizes asked for, and bytes passed on.
#include "adb/transport/usb_reader.hpp"

#include <gmock/gmock.h>

#include <random>

#include "support/fake_adbd.hpp"
#include "support/rounds.hpp"
#include "support/usb_pipe.hpp"

namespace drover::test {
namespace {

using adb::UsbReader;
using ::testing::ElementsAre;
using Bytes = std::vector<std::uint8_t>;

// Queues all that the reader wants now, and tells the sizes.
std::vector<std::size_t> ask(UsbReader& reader) {
    std::vector<std::size_t> sizes;
    while (const std::size_t n = reader.next_size()) {
        reader.asked(n);
        sizes.push_back(n);
    }
    return sizes;
}

Bytes usb_header(adb::Command command, std::size_t length) {
    adb::Header h;
    h.command = static_cast<std::uint32_t>(command);
    h.length = static_cast<std::uint32_t>(length);
    h.magic = ~h.command;
    const auto raw = adb::encode(h);
    return {raw.begin(), raw.end()};
}

// A reader whose session has begun, with one header's read queued.
UsbReader in_step(std::size_t packet_bytes = 512) {
    UsbReader reader(packet_bytes);
    EXPECT_EQ(ask(reader), std::vector<std::size_t>(UsbReader::kReadsMax, packet_bytes));
    for (std::size_t i = 0; i < UsbReader::kReadsMax; ++i) {
        EXPECT_TRUE(reader.came(usb_header(i == 0 ? adb::Command::cnxn : adb::Command::okay, 0)));
    }
    EXPECT_THAT(ask(reader), ElementsAre(packet_bytes));
    return reader;
}

TEST(UsbReader, AHeaderIsOneUsbPacket) {
    EXPECT_EQ(UsbReader(512).next_size(), 512u);
    EXPECT_EQ(UsbReader(1024).next_size(), 1024u);
    auto reader = in_step();
    EXPECT_EQ(reader.next_size(), 0u) << "what follows is not known";
}

TEST(UsbReader, TheReadsThatWaitedForTheFirstPacketServeTheNextOnes) {
    UsbReader reader(512);
    EXPECT_THAT(ask(reader), ElementsAre(512u, 512u, 512u, 512u));
    EXPECT_TRUE(reader.came(usb_header(adb::Command::cnxn, 600)));
    EXPECT_THAT(ask(reader), ElementsAre()) << "two for the payload, one for a header";
    EXPECT_TRUE(reader.came(Bytes(512)));
    EXPECT_TRUE(reader.came(Bytes(88)));
    EXPECT_TRUE(reader.came(usb_header(adb::Command::wrte, 16384)));
    EXPECT_THAT(ask(reader), ElementsAre(16384u, 512u));
}

TEST(UsbReader, ALongFirstPayloadIsAskedForAfterTheReadsThatWaited) {
    UsbReader reader(512);
    ask(reader);
    EXPECT_TRUE(reader.came(usb_header(adb::Command::cnxn, 4096)));
    EXPECT_THAT(ask(reader), ElementsAre(2560u)) << "three reads of 512 are queued; a fifth would be too many";
    EXPECT_TRUE(reader.came(Bytes(512)));
    EXPECT_THAT(ask(reader), ElementsAre(512u));
}

TEST(UsbReader, APayloadIsAskedForWithTheNextHeaderBehindIt) {
    auto reader = in_step();
    EXPECT_TRUE(reader.came(usb_header(adb::Command::wrte, 600)));
    EXPECT_THAT(ask(reader), ElementsAre(1024u, 512u));
    const auto got = reader.came(Bytes(600, 'x'));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->size(), 600u);
    EXPECT_THAT(ask(reader), ElementsAre());
    EXPECT_EQ(reader.queued(), 1u) << "the next header's read waits";
}

struct Size {
    std::size_t payload;
    std::vector<std::size_t> reads;
};

// Exactly full USB packets, with nothing after them: a read that asked for one byte more would wait for ever.
TEST(UsbReader, ExactSizes) {
    const std::vector<Size> sizes{{1, {512, 512}},
                                  {511, {512, 512}},
                                  {512, {512, 512}},
                                  {513, {1024, 512}},
                                  {1024, {1024, 512}},
                                  {16383, {16384, 512}},
                                  {16384, {16384, 512}},
                                  {16385, {16384, 512, 512}},
                                  {16384 * 2, {16384, 16384, 512}},
                                  {16384 * 3, {16384, 16384, 16384, 512}}};
    for (const auto& size : sizes) {
        auto reader = in_step();
        EXPECT_TRUE(reader.came(usb_header(adb::Command::wrte, size.payload)));
        EXPECT_EQ(ask(reader), size.reads) << size.payload;
        UsbPipe pipe(512);
        pipe.write(Bytes(size.payload, 'x'));
        std::size_t got = 0;
        for (std::size_t i = 0; i + 1 < size.reads.size(); ++i) {
            const auto read = pipe.read(size.reads[i]);
            ASSERT_TRUE(read) << size.payload << ": read " << i << " never ends";
            got += reader.came(read->bytes)->size();
        }
        EXPECT_EQ(got, size.payload);
        EXPECT_EQ(reader.queued(), 1u);
    }
}

TEST(UsbReader, SuperSpeedRoundsUpTo1024) {
    auto reader = in_step(1024);
    EXPECT_TRUE(reader.came(usb_header(adb::Command::wrte, 1025)));
    EXPECT_THAT(ask(reader), ElementsAre(2048u, 1024u));
}

TEST(UsbReader, ALargePayloadKeepsFewReadsQueued) {
    auto reader = in_step();
    EXPECT_TRUE(reader.came(usb_header(adb::Command::wrte, 1024 * 1024)));
    EXPECT_EQ(ask(reader).size(), UsbReader::kReadsMax);
    EXPECT_TRUE(reader.came(Bytes(16384)));
    EXPECT_THAT(ask(reader), ElementsAre(16384u));
}

TEST(UsbReader, APieceMayBeSmallerThanAskedFor) {
    auto reader = in_step();
    EXPECT_TRUE(reader.came(usb_header(adb::Command::wrte, 1024)));
    reader.asked(512);
    EXPECT_THAT(ask(reader), ElementsAre(512u, 512u));
}

TEST(UsbReader, JunkBeforeTheFirstAnswerIsThrownAway) {
    UsbReader reader(512);
    const Bytes old_write = usb_header(adb::Command::wrte, 3);
    for (const Bytes& junk :
         {Bytes{1, 2, 3}, Bytes(512, 0xff), Bytes(24, 0), Bytes{}, old_write, Bytes{'a', 'b', 'c'}}) {
        ask(reader);
        const auto got = reader.came(junk);
        ASSERT_TRUE(got);
        EXPECT_TRUE(got->empty());
        EXPECT_THAT(ask(reader), ElementsAre(512u));
    }
    EXPECT_EQ(reader.came(usb_header(adb::Command::auth, 20))->size(), 24u);
    EXPECT_EQ(reader.came(Bytes(20))->size(), 20u);
}

TEST(UsbReader, JunkHasALimit) {
    UsbReader reader(512);
    std::size_t bytes = 0;
    for (;;) {
        ask(reader);
        const auto got = reader.came(Bytes(512, 'j'));
        bytes += 512;
        if (!got) {
            EXPECT_EQ(got.error().code, Code::protocol_error);
            break;
        }
        ASSERT_LE(bytes, UsbReader::kJunkBytesMax);
    }
    EXPECT_GT(bytes, UsbReader::kJunkBytesMax);
}

TEST(UsbReader, AShortReadOnlyChangesWhatIsAskedNext) {
    auto reader = in_step();
    EXPECT_TRUE(reader.came(usb_header(adb::Command::wrte, 16384)));
    EXPECT_THAT(ask(reader), ElementsAre(16384u, 512u));
    EXPECT_EQ(reader.came(Bytes(10'000))->size(), 10'000u);
    EXPECT_THAT(ask(reader), ElementsAre(6144u, 512u)) << "6384 are left, 512 of them go into the queued header's read";
    EXPECT_EQ(reader.came(Bytes(512))->size(), 512u);
    EXPECT_EQ(reader.came(Bytes(5872))->size(), 5872u);
    EXPECT_EQ(reader.queued(), 1u);
    EXPECT_EQ(reader.next_size(), 0u);
}

TEST(UsbReader, HeaderAndPayloadInOneTransfer) {
    auto reader = in_step();
    Bytes glued = usb_header(adb::Command::wrte, 100);
    glued.resize(124, 'x');
    EXPECT_EQ(reader.came(glued)->size(), 124u);
    EXPECT_THAT(ask(reader), ElementsAre(512u));

    Bytes long_one = usb_header(adb::Command::wrte, 1000);
    long_one.resize(512, 'x');
    EXPECT_EQ(reader.came(long_one)->size(), 512u);
    EXPECT_THAT(ask(reader), ElementsAre(512u, 512u)) << "512 of the payload are left";
}

TEST(UsbReader, AHeaderInPieces) {
    auto reader = in_step();
    const Bytes h = usb_header(adb::Command::wrte, 5);
    EXPECT_TRUE(reader.came(ByteView(h).first(7)));
    EXPECT_THAT(ask(reader), ElementsAre(512u));
    EXPECT_TRUE(reader.came(ByteView(h).subspan(7)));
    EXPECT_THAT(ask(reader), ElementsAre(512u, 512u));
}

TEST(UsbReader, AWrongHeaderIsPassedOnAndNothingMoreIsAskedFor) {
    for (const bool magic : {true, false}) {
        auto reader = in_step();
        Bytes h = magic ? usb_header(adb::Command::wrte, 5) : usb_header(adb::Command::wrte, adb::kMaxPayloadBytes + 1);
        if (magic) h[20] ^= 1;
        EXPECT_EQ(reader.came(h)->size(), 24u);
        EXPECT_EQ(reader.next_size(), 0u);
    }
}

// Whatever a phone's transfers look like, no read overflows, none waits for ever, and every byte arrives.
TEST(UsbReader, AnySplitArrivesWhole) {
    const unsigned rounds_count = rounds(100);
    for (unsigned seed = 0; seed < rounds_count; ++seed) {
        std::mt19937 random(seed);
        const std::size_t packet_bytes = random() % 2 ? 512 : 1024;
        Bytes wire;
        UsbPipe pipe(packet_bytes);
        Bytes part = usb_header(adb::Command::cnxn, 0);
        const bool torn = random() % 3 == 0;
        for (int packets = 0; packets < 20; ++packets) {
            pipe.write(part);
            wire.insert(wire.end(), part.begin(), part.end());
            std::size_t length = random() % 40'000;
            if (random() % 2) length = length / packet_bytes * packet_bytes;
            part = usb_header(adb::Command::wrte, length);
            pipe.write(part);
            wire.insert(wire.end(), part.begin(), part.end());
            part.resize(length);
            for (auto& b : part) b = static_cast<std::uint8_t>(random());
            if (torn && length > 3) {  // the payload as two transfers
                const std::size_t cut = 1 + random() % (length - 1);
                pipe.write(ByteView(part).first(cut));
                wire.insert(wire.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(cut));
                part.erase(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(cut));
            }
        }
        pipe.write(part);
        wire.insert(wire.end(), part.begin(), part.end());

        UsbReader reader(packet_bytes);
        std::deque<std::size_t> queued;
        Bytes got;
        while (!pipe.empty()) {
            for (const auto n : ask(reader)) queued.push_back(n);
            ASSERT_FALSE(queued.empty()) << "seed " << seed;
            const auto read = pipe.read(queued.front());
            ASSERT_TRUE(read) << "seed " << seed << ": a read of " << queued.front() << " waits for ever";
            ASSERT_FALSE(read->overflow) << "seed " << seed;
            queued.pop_front();
            const auto bytes = reader.came(read->bytes);
            ASSERT_TRUE(bytes) << bytes.error().message;
            got.insert(got.end(), bytes->begin(), bytes->end());
        }
        ASSERT_EQ(got, wire) << "seed " << seed;
    }
}

}  // namespace
}  // namespace drover::test
