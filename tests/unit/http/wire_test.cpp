#include "http/wire.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "http/call_request.hpp"
#include "report/json.hpp"
#include "report/phone_json.hpp"
#include "report/status_text.hpp"

namespace drover::http {
namespace {

namespace json = boost::json;

json::object over_the_wire(const json::object& o) { return json::parse(json::serialize(o)).as_object(); }

Row sample() {
    Row row;
    row.index = 7;
    row.instance_id = "rack1-01";
    row.code = Code::command_failed;
    row.error_msg = "Run command failed: exit code 3";
    row.phase = Phase::done;
    row.execute_msg = "out\xC3\xA9\nerr\n";
    row.runs = {{OutputStream::out, 6}, {OutputStream::err, 10}};
    row.exit_code = 3;
    row.output_bytes = 5'000'000'000;
    row.truncated = true;
    row.attempts = 2;
    row.ms = 1234;
    return row;
}

TEST(Wire, ARowComesBackAsItWas) {
    auto row = sample();
    StepResult step;
    step.name = "first";
    step.continued = true;
    step.code = Code::command_failed;
    step.exit_code = 1;
    step.ms = 5;
    step.kind = "shell";
    step.combination = "a=1";
    step.error_msg = "exit code 1";
    step.attempts = 3;
    step.begin_ms = 7;
    step.restored = true;
    step.output_begin = 2;
    step.output_end = 6;
    StepResult skipped;
    skipped.name = "second";
    skipped.skipped = true;
    row.steps = {step, skipped};
    const auto back = read_row(over_the_wire(row_object(row)));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(report::row_json(*back, report::Steps::with), report::row_json(row, report::Steps::with));
    EXPECT_EQ(back->index, 7U);
    ASSERT_EQ(back->runs.size(), 2U);
    EXPECT_EQ(back->runs[1].stream, OutputStream::err);
    EXPECT_EQ(back->runs[1].end, 10U);
    EXPECT_EQ(back->steps[0].output_begin, 2U);
    EXPECT_EQ(back->steps[0].output_end, 6U);
    row.steps[0].output_end = 99;
    EXPECT_FALSE(read_row(over_the_wire(row_object(row)))) << "past the text";
}

TEST(Wire, EveryCodeAndPhaseComesBack) {
    for (const auto& entry : all_codes()) {
        auto row = sample();
        row.code = entry.code;
        EXPECT_EQ(read_row(over_the_wire(row_object(row)))->code, entry.code);
    }
    for (int i = 0; i <= static_cast<int>(Phase::done); ++i) {
        auto row = sample();
        row.phase = static_cast<Phase>(i);
        row.exit_code.reset();
        const auto back = read_row(over_the_wire(row_object(row)));
        EXPECT_EQ(back->phase, row.phase);
        EXPECT_FALSE(back->exit_code);
    }
}

TEST(Wire, ARowThatMakesNoSenseIsAnError) {
    const auto broken = [](std::string_view key, json::value value) {
        auto o = row_object(sample());
        o[json::string_view(key.data(), key.size())] = std::move(value);
        return !read_row(o);
    };
    EXPECT_FALSE(broken("ms", 1));
    EXPECT_TRUE(broken("ms", "1"));
    EXPECT_TRUE(broken("ms", -1));
    EXPECT_TRUE(broken("error_code", "DROVER.0000"));
    EXPECT_TRUE(broken("phase", "lunch"));
    EXPECT_TRUE(broken("truncated", nullptr));
    EXPECT_TRUE(broken("exit_code", 1e300));
    EXPECT_TRUE(broken("runs", json::array{json::array{1, 11}})) << "past the text";
    EXPECT_TRUE(broken("runs", json::array{json::array{1, 6}, json::array{2, 3}})) << "backwards";
    EXPECT_TRUE(broken("runs", json::array{json::array{3, 6}}));
    EXPECT_TRUE(broken("steps", json::array{1}));
    EXPECT_FALSE(read_row({}));
}

TEST(Wire, OutputIsBytes) {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    for (const std::size_t n : {0, 1, 2, 3, 4, 255, 256}) {
        const auto back = read_output(over_the_wire(output_object(3, OutputStream::err, bytes.substr(0, n))));
        ASSERT_TRUE(back);
        EXPECT_EQ(back->bytes, bytes.substr(0, n));
        EXPECT_EQ(back->index, 3U);
        EXPECT_EQ(back->stream, OutputStream::err);
    }
    json::object bad = output_object(0, OutputStream::out, "x");
    bad["base64"] = "!!!!";
    EXPECT_FALSE(read_output(bad));
}

TEST(Wire, PhonesAndStatesComeBack) {
    PhoneInfo phone;
    phone.instance.id = "a";
    phone.instance.via = Via::tcp;
    phone.instance.address = TcpAddress{"::1", 5555};
    phone.instance.labels = {{"rack", "r1"}};
    phone.adb_state = "device";
    phone.model = "Pixel 8";
    const auto back = read_phone(over_the_wire(report::phone_object(phone)));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(report::phone_object(*back), report::phone_object(phone));
    PhoneStatus status;
    status.status = 2;
    status.condition = "running";
    status.why = "booted";
    status.since = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'704'067'200'123));
    const auto state = read_status(over_the_wire(report::state_object(status)));
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(report::state_object(*state), report::state_object(status));
    EXPECT_FALSE(read_status({}));
}

TEST(CallRequest, ComesBackAsItWas) {
    CallRequest request;
    request.instance_ids = {"b", "a"};
    request.command = "echo 'x'";
    request.timeout = Millis(5);
    request.limits.silence = Millis(7);
    request.limits.max_output_bytes = 9;
    request.max_parallel = 3;
    request.output = true;
    const auto back = read_call_request(to_json(request));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(to_json(*back), to_json(request));
    EXPECT_EQ(back->instance_ids, request.instance_ids);
    EXPECT_FALSE(back->deadline);
}

TEST(CallRequest, WhatIsWrongIsNamed) {
    const auto error = [](std::string_view body) {
        const auto read = read_call_request(body);
        return read ? "good" : read.error().message;
    };
    EXPECT_EQ(error(R"({"on":"all"})"), "good");
    EXPECT_EQ(error("{"), "the body is not valid JSON");
    EXPECT_EQ(error("[]"), "the body must be a JSON object");
    EXPECT_EQ(error("{}"), "which phones? give on or instance_ids");
    EXPECT_EQ(error(R"({"on":"all","instance_ids":["a"]})"), "give on or instance_ids, not both");
    EXPECT_EQ(error(R"({"instance_ids":[]})"), "instance_ids must be a list of 1 to 20000 ids");
    EXPECT_EQ(error(R"({"instance_ids":["../x"]})"), "instance_ids must be a list of ids");
    EXPECT_EQ(error(R"({"on":"all","time_ms":1})"), "there is no key 'time_ms'");
    EXPECT_EQ(error(R"({"on":"all","timeot_ms":1})"), "there is no key 'timeot_ms' (did you mean 'timeout_ms'?)");
    EXPECT_EQ(error(R"({"on":"all","timeout_ms":"1"})"), "timeout_ms must be a whole number from 0 to 2592000000");
    EXPECT_EQ(error(R"({"on":"all","max_output_bytes":1e9})"),
              "max_output_bytes must be a whole number from 0 to 16777216");
    EXPECT_EQ(error(R"({"on":"all","output":1})"), "output must be true or false");
    EXPECT_EQ(error("{\"on\":\"a\\u0000\"}"), "on has a NUL byte");
}

}  // namespace
}  // namespace drover::http
