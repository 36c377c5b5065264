#include "adb/smart_socket.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::adb {
namespace {

using testing::HasSubstr;
using Shape = ReplyParser::Shape;

TEST(SmartSocket, Request) {
    EXPECT_EQ(encode_request("host:version").value(), "000chost:version");
    EXPECT_EQ(encode_request(std::string(0xffff, 'x')).value().substr(0, 5), "ffffx");
    EXPECT_EQ(encode_request(std::string(0x10000, 'x')).error().code, Code::command_too_long);
    EXPECT_FALSE(encode_request(""));
}

struct Parsed {
    std::optional<ServerReply> reply;
    std::size_t taken = 0;
    std::optional<Error> error;
};

// Feeds `text` in pieces, then the end of the connection when `end` is set.
Parsed parse_reply(Shape shape, std::string_view text, std::size_t piece, bool end) {
    ReplyParser parser(shape);
    Parsed result;
    while (!text.empty() && !parser.done()) {
        const auto part = text.substr(0, piece);
        const auto n = parser.feed(as_bytes(part));
        if (!n) return {std::nullopt, result.taken, n.error()};
        result.taken += *n;
        text.remove_prefix(*n);
        if (*n < part.size()) break;
    }
    if (end) {
        if (const auto r = parser.finish(); !r) return {std::nullopt, result.taken, r.error()};
    }
    if (parser.done()) result.reply = parser.take();
    return result;
}

TEST(SmartSocket, StatusLeavesTheStreamBehindItAlone) {
    for (const std::size_t piece : {1, 2, 3, 4, 5, 100}) {
        const auto p = parse_reply(Shape::status, "OKAYOKAY0004", piece, false);
        ASSERT_TRUE(p.reply);
        EXPECT_TRUE(p.reply->okay);
        EXPECT_EQ(p.taken, 4U);
    }
}

TEST(SmartSocket, FailWithReason) {
    for (const auto shape : {Shape::status, Shape::body}) {
        for (const std::size_t piece : {1, 3, 100}) {
            const auto p = parse_reply(shape, "FAIL0006closedrest", piece, false);
            ASSERT_TRUE(p.reply);
            EXPECT_FALSE(p.reply->okay);
            EXPECT_EQ(p.reply->text, "closed");
            EXPECT_EQ(p.taken, 14U);
        }
    }
    EXPECT_EQ(parse_reply(Shape::status, "FAIL0000", 1, false).reply->text, "");
    EXPECT_EQ(parse_reply(Shape::status, "FAIL0010cut off", 4, true).reply->text, "cut off");
    EXPECT_EQ(parse_reply(Shape::status, "FAIL00", 4, true).reply->text, "");
}

TEST(SmartSocket, Body) {
    for (const std::size_t piece : {1, 5, 100}) {
        EXPECT_EQ(parse_reply(Shape::body, "OKAY00040029", piece, false).reply->text, "0029");
        EXPECT_EQ(parse_reply(Shape::body, "OKAY0000", piece, false).reply->text, "");
        EXPECT_FALSE(parse_reply(Shape::body, "OKAY0004002", piece, false).reply);
    }
}

TEST(SmartSocket, LongBodiesAreCompleteAtTheEndOfTheConnection) {
    // 0x10ff bytes with four digits; 0x10ff0..0x10fff bytes with five digits begin with the same four.
    const std::string four(0x10ff, 'a');
    EXPECT_EQ(parse_reply(Shape::body, "OKAY10ff" + four, 1000, true).reply->text, four);
    for (const std::size_t size : {0x10000U, 0x10ff0U, 0x10fffU, 0x12345U, 0xfffffU}) {
        const std::string five(size, 'f');
        const auto p = parse_reply(Shape::body, fmt::format("OKAY{:x}{}", size, five), 60'000, true);
        ASSERT_TRUE(p.reply) << size;
        EXPECT_EQ(p.reply->text.size(), size);
    }
    EXPECT_FALSE(parse_reply(Shape::body, "OKAYffff" + std::string(0xffff, 'a'), 60'000, false).reply);
}

TEST(SmartSocket, BrokenAnswers) {
    const auto error = [](std::string_view text, bool end, Shape shape = Shape::body) {
        const auto p = parse_reply(shape, text, 7, end);
        EXPECT_FALSE(p.reply) << text.substr(0, 30);
        return p.error.value_or(Error(Code::ok, ""));
    };
    EXPECT_THAT(error("HTTP/1.1 400", false).message, HasSubstr("answered 'HTTP'"));
    EXPECT_EQ(error("HTTP/1.1 400", false).code, Code::server_failed);
    EXPECT_THAT(error("okay", false).message, HasSubstr("not an adb server"));
    EXPECT_THAT(error("OKAYxyz1", false).message, HasSubstr("length 'xyz1'"));
    EXPECT_THAT(error("OKAY-001", false).message, HasSubstr("length"));
    EXPECT_THAT(error("OKAY 001", false).message, HasSubstr("length"));
    EXPECT_THAT(error("FAIL0x01", false, Shape::status).message, HasSubstr("length"));
    EXPECT_EQ(error("", true).code, Code::server_unreachable);
    EXPECT_EQ(error("OK", true).code, Code::server_unreachable);
    EXPECT_EQ(error("OKAY0004ab", true).code, Code::server_unreachable);
    EXPECT_EQ(error("OKAY2000" + std::string(0x1fff, 'x'), true).code, Code::server_unreachable);
    EXPECT_EQ(error("OKAY2000" + std::string(0x2001, 'x'), true).code, Code::server_unreachable);
    EXPECT_THAT(error("OKAYfffff" + std::string(0x100000, 'x'), true).message, HasSubstr("longer than 1048575 bytes"));
}

TEST(SmartSocket, DeviceRows) {
    const auto list = parse_device_list(
        "R58M123ABC             device usb:1-4.2 product:beyond model:SM_G973F device:beyond1 transport_id:12\n"
        "127.0.0.1:35001        device product:a b model:Pixel_8 device:shi ba transport_id:3\n"
        "a serial with spaces   offline usb:1-1 transport_id:4\n"
        "(no serial number)     unauthorized usb:2-1 transport_id:5\n"
        "????????????           no permissions (user in plugdev group; are your udev rules wrong?); see "
        "[http://developer.android.com/tools/device.html] usb:1-4 transport_id:6\n"
        "averyveryveryverylongserialnumber recovery transport_id:18446744073709551615\n"
        "\n"
        "nothing to see here\n"
        "x device transport_id:\n"
        "x device transport_id:0\n"
        "x device transport_id:1x\n"
        " transport_id:9\n"
        "last                   sideload transport_id:7");
    ASSERT_EQ(list.devices.size(), 7U);
    EXPECT_EQ(list.ignored.size(), 5U);
    const auto& d = list.devices;
    EXPECT_EQ(d[0].serial, "R58M123ABC");
    EXPECT_EQ(d[0].state, AdbState::device);
    EXPECT_EQ(d[0].usb_path, "1-4.2");
    EXPECT_EQ(d[0].product, "beyond");
    EXPECT_EQ(d[0].model, "SM_G973F");
    EXPECT_EQ(d[0].device, "beyond1");
    EXPECT_EQ(d[0].transport_id, 12U);
    EXPECT_EQ(d[1].serial, "127.0.0.1:35001");
    EXPECT_EQ(d[1].usb_path, "");
    EXPECT_EQ(d[1].product, "a b");
    EXPECT_EQ(d[1].device, "shi ba");
    EXPECT_EQ(d[2].serial, "a serial with spaces");
    EXPECT_EQ(d[2].state, AdbState::offline);
    EXPECT_EQ(d[3].serial, "");
    EXPECT_EQ(d[3].state, AdbState::unauthorized);
    EXPECT_EQ(d[4].serial, "????????????");
    EXPECT_EQ(d[4].state, AdbState::no_permissions);
    EXPECT_THAT(d[4].state_text, testing::EndsWith("device.html]"));
    EXPECT_EQ(d[4].usb_path, "1-4");
    EXPECT_EQ(d[5].serial, "averyveryveryverylongserialnumber");
    EXPECT_EQ(d[5].state, AdbState::recovery);
    EXPECT_EQ(d[5].transport_id, ~std::uint64_t{0});
    EXPECT_EQ(d[6].state, AdbState::sideload);
    EXPECT_TRUE(parse_device_list("").devices.empty());
}

TEST(SmartSocket, ThousandsOfRows) {
    std::string body;
    for (int i = 1; i <= 5000; ++i)
        body += fmt::format("{:<22} device product:p model:m device:d transport_id:{}\n", i, i);
    const auto list = parse_device_list(body);
    ASSERT_EQ(list.devices.size(), 5000U);
    EXPECT_EQ(list.devices[4999].serial, "5000");
    EXPECT_EQ(list.devices[4999].transport_id, 5000U);
}

TEST(SmartSocket, WhatAFailMeans) {
    const auto code = [](std::string_view reason, bool online) { return error_of_fail(reason, online).code; };
    EXPECT_EQ(code("closed", true), Code::refused);
    EXPECT_EQ(code("device offline", true), Code::link_lost);
    EXPECT_EQ(code("device offline", false), Code::not_ready);
    EXPECT_EQ(code("no device with transport id '7'", true), Code::link_lost);
    EXPECT_EQ(code("no device with transport id '7'", false), Code::phone_not_found);
    EXPECT_EQ(code("device 'R58M' not found", false), Code::phone_not_found);
    EXPECT_EQ(code("device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set\nTry", true),
              Code::unauthorized);
    EXPECT_EQ(code("device still authorizing", false), Code::not_ready);
    EXPECT_EQ(code("insufficient permissions for device: user in plugdev group", false), Code::no_permission);
    EXPECT_EQ(code("unknown host service", false), Code::server_failed);
    EXPECT_EQ(error_of_fail("device unauthorized.\nThis\x01\xff", true).message.find('\n'), std::string::npos);
    EXPECT_LT(error_of_fail(std::string(60'000, 'x'), true).message.size(), 300U);
}

TEST(SmartSocket, Address) {
    const auto text = [](const char* socket, const char* address = nullptr, const char* port = nullptr) {
        const auto a = server_address(socket, address, port);
        return a ? to_string(*a) : std::string("error: ") + std::string(info(a.error().code).name);
    };
    EXPECT_EQ(text(nullptr), "127.0.0.1:5037");
    EXPECT_EQ(text("", "", ""), "127.0.0.1:5037");
    EXPECT_EQ(text(nullptr, nullptr, "6000"), "127.0.0.1:6000");
    EXPECT_EQ(text(nullptr, "10.0.0.1", "6000"), "10.0.0.1:6000");
    EXPECT_EQ(text("tcp:7000", "10.0.0.1", "6000"), "127.0.0.1:7000");
    EXPECT_EQ(text("tcp:farm.example:7000"), "farm.example:7000");
    EXPECT_EQ(text("tcp:localhost:7000"), "127.0.0.1:7000");
    EXPECT_EQ(text("tcp:[::1]:7000"), "[::1]:7000");
    EXPECT_EQ(text("localfilesystem:/run/adb.sock"), "localfilesystem:/run/adb.sock");
    EXPECT_EQ(text("local:/run/adb.sock"), "localfilesystem:/run/adb.sock");
    EXPECT_EQ(text("localabstract:adb"), "localabstract:adb");
    for (const char* bad : {"tcp:", "tcp:0", "tcp:65536", "tcp:-1", "tcp:host:", "tcp::5037", "tcp:host",
                            "tcp:::1:5037", "tcp:[]:1", "vsock:1:2", "5037", "localfilesystem:"}) {
        EXPECT_EQ(text(bad), "error: DROVER.6001") << bad;
    }
    EXPECT_EQ(text(std::string("local:" + std::string(107, 'x')).c_str()), "error: DROVER.6001");
    EXPECT_EQ(text(nullptr, nullptr, "0"), "error: DROVER.6001");
    EXPECT_EQ(text(nullptr, nullptr, "x"), "error: DROVER.6001");
}

}  // namespace
}  // namespace drover::adb
