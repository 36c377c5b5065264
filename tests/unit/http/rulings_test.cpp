// How the documented API is read where its pages are silent or contradict themselves: one test per ruling, by its number.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "http/body.hpp"
#include "service_fixture.hpp"

namespace drover::http {
namespace {

using namespace std::string_literals;

class Rulings : public ServiceTest {
protected:
    static std::string body_with(const std::string& command) {
        boost::json::object o;
        o["command"] = command;
        o["instance_ids"] = boost::json::array{"a44uhlf7"};
        return boost::json::serialize(o);
    }
    static std::string ids_of(int n) {
        std::vector<std::string> ids;
        for (int i = 0; i < n; ++i) ids.push_back(fmt::format("\"p{}\"", i));
        return fmt::format("[{}]", fmt::join(ids, ","));
    }
};

// The API's own example request gives its example shape.
TEST_F(Rulings, TheExampleOfTheDocumentation) {
    phones.say["a44uhlf7"].code = Code::command_failed;
    phones.say["a44uhlf7"].attempts = 1;
    phones.say["a44uhlf7"].exit_code = 1;
    phones.say["a44uhlf7"].execute_msg = "ls: cannot access '/system': No such file or directory";
    const auto r = sync(std::string(kSeedBody));
    ASSERT_EQ(r.status, 200) << r.body;
    const auto body = parse(r);
    EXPECT_EQ(text(body.at("error_code")), "0");
    EXPECT_EQ(text(body.at("error_msg")), "ok");
    const auto& rows = body.at("data").at("cmd_results").as_array();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(text(rows[0].at("instance_id")), "a44uhlf7");
    EXPECT_EQ(rows[0].at("status"), -1);
    EXPECT_EQ(text(rows[0].at("error_code")), "CPS.0191");
    EXPECT_EQ(text(rows[0].at("error_msg")), "Run command failed.");
    EXPECT_EQ(text(rows[0].at("execute_msg")), "ls: cannot access '/system': No such file or directory");
    EXPECT_EQ(text(rows[1].at("instance_id")), "efjy72gs");
    EXPECT_EQ(rows[1].at("status"), 2);
    EXPECT_EQ(text(rows[1].at("error_code")), "");
    EXPECT_EQ(text(rows[1].at("error_msg")), "");
    EXPECT_EQ(text(rows[1].at("execute_msg")), "out of efjy72gs");
}

TEST_F(Rulings, Ruling01_OnlyTheListedCharactersAndTheSpace) {
    for (int c = 0; c < 256; ++c) {
        const char byte = static_cast<char>(c);
        const bool allowed = is_allowed_in_command(byte);
        EXPECT_EQ(allowed, (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                               "_./:- "s.find(byte) != std::string::npos)
            << c;
        if (c >= 0x80 || allowed) continue;
        expect_error(sync(body_with("ls"s + byte)), 400, "KOOPHONE.API.1000", "byte 2");
        expect_error(async(body_with("ls"s + byte)), 400, "KOOPHONE.API.1000", "byte 2");
    }
    expect_error(sync(body_with("ls \u00e9")), 400, "KOOPHONE.API.1000", "character");
    EXPECT_EQ(sync(body_with("Az09_./:- x")).status, 200);
}

TEST_F(Rulings, Ruling02_EmptyCommandsAreRefusedOthersAreByteExact) {
    for (const auto& command : {""s, " "s, std::string(1024, ' ')})
        expect_error(sync(body_with(command)), 400, "KOOPHONE.API.1000", "empty");
    expect_error(sync(body_with(std::string(1025, 'a'))), 400, "KOOPHONE.API.1000", "1025 bytes");
    EXPECT_EQ(sync(body_with(std::string(1024, 'a'))).status, 200);
    EXPECT_EQ(sync(body_with("  ls   -l ")).status, 200);
    EXPECT_EQ(phones.opened().back(), "a44uhlf7   ls   -l ");
}

TEST_F(Rulings, Ruling03_OneToHundredIdsOfOneTo32Characters) {
    for (const std::string path : {"sync-command", "async-command", "batch-query-status"}) {
        const auto with = [&](const std::string& ids) {
            return ask(post("/v1/instances/" + path, R"({"command":"ls","instance_ids":)" + ids + "}"));
        };
        expect_error(with("[]"), 400, "KOOPHONE.API.1000", "empty");
        expect_error(with(ids_of(101)), 400, "KOOPHONE.API.1000", "101 entries");
        expect_error(with(ids_of(100)), 400, "KOOPHONE.API.1001");  // well formed, but unknown
        expect_error(with(R"([""])"), 400, "KOOPHONE.API.1000", "1 to 32");
        expect_error(with("[\"" + std::string(33, 'a') + "\"]"), 400, "KOOPHONE.API.1000", "1 to 32");
        expect_error(with("[\"" + std::string(32, 'a') + "\"]"), 400, "KOOPHONE.API.1001");
    }
}

TEST_F(Rulings, Ruling04_TheStatusAxisIsConfiguredActivityStandsBeside) {
    PhoneStatus s;
    s.status = 2;
    s.activity = 4;
    s.adb_state = 8;
    s.why = "booted";
    phones.states["a44uhlf7"] = s;
    const std::string body = R"({"instance_ids":["a44uhlf7"]})";
    auto item = parse(status(body)).at("data").at("status_results").at(0);
    EXPECT_EQ(item.at("status"), 2);
    EXPECT_EQ(item.at("activity"), 4);
    EXPECT_EQ(item.at("adb_state"), 8);
    EXPECT_EQ(text(item.at("why")), "booted");
    EXPECT_EQ(text(item.at("since")), "1970-01-01T00:00:00Z");
    ServiceOptions options;
    options.status_axis = StatusAxis::activity;
    make(options);
    item = parse(status(body)).at("data").at("status_results").at(0);
    EXPECT_EQ(item.at("status"), 4);
    EXPECT_EQ(item.at("activity"), 4);
}

TEST_F(Rulings, Ruling05_CodesAreUpperCase) {
    for (const auto code : {kBadRequest, kNoPermission, kInternal})
        EXPECT_TRUE(code.starts_with("KOOPHONE.API.")) << code;
}

TEST_F(Rulings, Ruling06_EveryErrorCarriesBothTexts) {
    expect_error(sync("x"), 400, "KOOPHONE.API.1000", "JSON");
    expect_error(ask(get("/v1/nothing")), 404, "APIGW.0101");
    auto r = get("/v1/nothing");
    r.headers.clear();
    expect_error(ask(r), 401, "APIGW.0301");
    EXPECT_TRUE(parse(service->refuse(400)).as_object().contains("error_info"));
    const auto refusal = service->refuse(431);
    const auto id = std::ranges::find(refusal.headers, "X-Request-Id", &net::Header::name);
    ASSERT_NE(id, refusal.headers.end());
    EXPECT_EQ(id->value, text(parse(refusal).at("request_id")));
}

TEST_F(Rulings, Ruling07_NoSuccessCodeInAnErrorAndNoErrorWith200) {
    for (const auto& r : {sync("x"), async("{}"), status("[]"), ask(get("/nothing"))}) {
        EXPECT_GE(r.status, 400);
        EXPECT_NE(text(parse(r).at("error_code")), "0");
    }
}

TEST_F(Rulings, Ruling08_TokenClientsNameTheirRequests) {
    auto r = post("/v1/instances/sync-command", std::string(kSeedBody));
    r.headers = {{"X-Auth-Token", "good"}};
    expect_error(ask(r), 400, "KOOPHONE.API.1000", "x-request-id");
    r.headers.push_back({"x-request-id", ""});
    expect_error(ask(r), 400, "KOOPHONE.API.1000", "x-request-id");
    r.headers.back().value = std::string(129, 'x');
    expect_error(ask(r), 400, "KOOPHONE.API.1000", "x-request-id");
    r.headers.back().value = "abc-1";
    EXPECT_EQ(*ask(r).header("X-Request-Id"), "abc-1");
    EXPECT_EQ(ask(r).status, 200) << "the id is for tracing; the same one may come again";
    EXPECT_EQ(phones.opened().size(), 4U);
    r.headers.clear();
    r.local = true;
    EXPECT_EQ(ask(r).header("X-Request-Id")->size(), 32U) << "only token clients owe one";
}

TEST_F(Rulings, Ruling09_NoCredentialsAre401) {
    auto r = post("/v1/instances/sync-command", std::string(kSeedBody));
    r.headers = {{"X-Request-Id", "r-9"}};
    expect_error(ask(r), 401, "APIGW.0301", "Incorrect IAM authentication information: ");
    r.headers.push_back({"X-Auth-Token", "bad"});
    expect_error(ask(r), 401, "APIGW.0301", "Incorrect IAM authentication information: ");
    EXPECT_EQ(*ask(r).header("X-Request-Id"), "r-9");
}

TEST_F(Rulings, Ruling10_UnknownAndForeignInstances) {
    for (const auto& r : {sync(R"({"command":"ls","instance_ids":["a44uhlf7","nobody"]})"),
                          async(R"({"command":"ls","instance_ids":["a44uhlf7","nobody"]})")}) {
        expect_error(r, 400, "KOOPHONE.API.1001", "nobody");
        EXPECT_EQ(text(parse(r).at("error_msg")).find("a44uhlf7"), std::string::npos);
    }
    std::string many = R"({"command":"ls","instance_ids":["a44uhlf7")";
    for (int i = 1; i < 100; ++i) many += fmt::format(",\"nobody-{}\"", i);
    expect_error(sync(many + "]}"), 400, "KOOPHONE.API.1001", "nobody-98, nobody-99");
    auto limited = post("/v1/instances/sync-command", std::string(kSeedBody));
    limited.headers[0].value = "limited";
    expect_error(ask(limited), 400, "KOOPHONE.API.1001", "efjy72gs");

    const auto results =
        parse(status(R"({"instance_ids":["nobody","efjy72gs"]})")).at("data").at("status_results").as_array();
    ASSERT_EQ(results.size(), 1U) << "unknown ids are left out";
    EXPECT_EQ(text(results[0].at("instance_id")), "efjy72gs");
    expect_error(status(R"({"instance_ids":["nobody"]})"), 400, "KOOPHONE.API.1001", "nobody");
    limited = post("/v1/instances/batch-query-status", R"({"instance_ids":["efjy72gs"]})");
    limited.headers[0].value = "limited";
    expect_error(ask(limited), 400, "KOOPHONE.API.1001", "efjy72gs");
}

TEST_F(Rulings, Ruling11_NeverOpenedIsPhoneNotFound) {
    for (const Code code : {Code::phone_not_found, Code::unauthorized, Code::interface_busy, Code::disabled,
                            Code::auth_deadline, Code::open_deadline}) {
        Row& row = phones.say["a44uhlf7"];
        row.code = code;
        row.attempts = code == Code::open_deadline ? 1 : 0;
        const auto item = parse(sync(body_with("ls"))).at("data").at("cmd_results").at(0);
        EXPECT_EQ(item.at("status"), -1);
        const bool opened = code == Code::open_deadline;  // it may have been
        EXPECT_EQ(text(item.at("error_code")), opened ? "CPS.0191" : "CPS.0005");
        EXPECT_EQ(text(item.at("error_msg")), opened ? "Run command failed." : "Phone is not found.");
        EXPECT_EQ(text(item.at("drover_code")), info(code).name);
    }
}

TEST_F(Rulings, Ruling12_AnyFailureOnceOpenedIsRunCommandFailed) {
    for (const Code code :
         {Code::command_failed, Code::link_lost, Code::timeout, Code::exit_code_unknown, Code::protocol_error}) {
        Row& row = phones.say["a44uhlf7"];
        row.code = code;
        row.attempts = 1;
        row.execute_msg = "partial";
        const auto item = parse(sync(body_with("ls"))).at("data").at("cmd_results").at(0);
        EXPECT_EQ(text(item.at("error_code")), "CPS.0191");
        EXPECT_EQ(text(item.at("drover_code")), info(code).name);
        EXPECT_EQ(text(item.at("execute_msg")), "partial");
    }
}

TEST_F(Rulings, Ruling13_DeadlinesOfCalls) {
    ASSERT_EQ(sync(body_with("ls")).status, 200);
    EXPECT_EQ(phones.last_options().command.limits.total, Millis(5'000));
    EXPECT_EQ(phones.last_options().deadline, Millis(30'000));
    EXPECT_EQ(phones.last_options().command.limits.max_output_bytes, 1024U);
    ASSERT_EQ(async(body_with("ls")).status, 200);
    phones.wait_opened(2);
    EXPECT_EQ(phones.last_options().command.limits.total, Millis(600'000));
    ServiceOptions options;
    options.sync_timeout = Millis(7);
    options.sync_deadline = Millis(8);
    make(options);
    ASSERT_EQ(sync(body_with("ls")).status, 200);
    EXPECT_EQ(phones.last_options().command.limits.total, Millis(7));
    EXPECT_EQ(phones.last_options().deadline, Millis(8));
}

TEST_F(Rulings, Ruling14_DuplicatesRunOnceInRequestOrder) {
    const auto r = sync(R"({"command":"ls","instance_ids":["third","a44uhlf7","third","efjy72gs","a44uhlf7"]})");
    EXPECT_EQ(phones.opened(), (std::vector<std::string>{"third ls", "a44uhlf7 ls", "efjy72gs ls"}));
    const auto rows = parse(r).at("data").at("cmd_results").as_array();
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(text(rows[0].at("instance_id")), "third");
    EXPECT_EQ(text(rows[2].at("instance_id")), "efjy72gs");
}

TEST_F(Rulings, Ruling15_MalformedBodiesRunNothing) {
    const std::string good = body_with("ls");
    const std::vector<std::string> bad{"",
                                       " ",
                                       "x",
                                       "null",
                                       "true",
                                       "1",
                                       "\"text\"",
                                       "[]",
                                       "[" + good + "]",
                                       good + "x",
                                       good + good,
                                       good.substr(0, good.size() - 1),
                                       "\xef\xbb\xbf" + good,
                                       "{}",
                                       R"({"command":"ls"})",
                                       R"({"instance_ids":["a44uhlf7"]})",
                                       R"({"command":null,"instance_ids":["a44uhlf7"]})",
                                       R"({"command":"ls","instance_ids":null})",
                                       R"({"command":1,"instance_ids":["a44uhlf7"]})",
                                       R"({"command":["ls"],"instance_ids":["a44uhlf7"]})",
                                       R"({"command":"ls","instance_ids":"a44uhlf7"})",
                                       R"({"command":"ls","instance_ids":{"0":"a44uhlf7"}})",
                                       R"({"command":"ls","instance_ids":[1]})",
                                       R"({"command":"ls","instance_ids":[null]})",
                                       R"({"command":"ls","instance_ids":["a44uhlf7",["efjy72gs"]]})",
                                       R"({"command":"ls","instance_ids":["a44uhlf7",]})",
                                       R"({'command':'ls','instance_ids':['a44uhlf7']})",
                                       "{\"command\":\"l\x01s\",\"instance_ids\":[\"a44uhlf7\"]}",
                                       "{\"command\":\"ls\",\"instance_ids\":[\"\xff\"]}",
                                       "{\"command\":\"ls\",\"instance_ids\":[\"\xc0\xaf\"]}",
                                       R"({"command":"ls","instance_ids":["\ud800"]})",
                                       R"({"Command":"ls","instance_ids":["a44uhlf7"]})",
                                       std::string(60'000, '['),
                                       "{\"a\":" + std::string(10'000, '[') + "}"};
    for (const auto& body : bad) {
        expect_error(sync(body), 400, "KOOPHONE.API.1000");
        expect_error(async(body), 400, "KOOPHONE.API.1000");
    }
    auto large = post("/v1/instances/sync-command", "");
    large.body_too_large = true;
    expect_error(ask(large), 400, "KOOPHONE.API.1000", "64 KiB");
    EXPECT_EQ(sync(R"({"command":"ls","instance_ids":["a44uhlf7"],"later":{"a":[1]}})").status, 200)
        << "unknown keys are ignored";
}

TEST_F(Rulings, Ruling16_InternalFailuresAre500) {
    store.fail_next(1);
    expect_error(async(body_with("ls")), 500, "KOOPHONE.API.9999", "Internal service error.");
}

TEST_F(Rulings, Ruling17_UnknownAndForeignTasks) {
    const auto accepted = parse(async(body_with("ls"))).at("data");
    const auto id = text(accepted.at("task_id"));
    EXPECT_EQ(id.size(), 32U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    phones.wait_opened(1);
    EXPECT_EQ(ask(get("/v1/instances/tasks/" + id)).status, 200);
    auto foreign = get("/v1/instances/tasks/" + id);
    foreign.headers[0].value = "limited";
    const auto refused = ask(foreign);
    EXPECT_EQ(refused.status, 400);
    EXPECT_NE(refused.body.find(id), std::string::npos);
    for (const auto& unknown : {std::string(32, 'a'), "x"s, "..%2f..%2fetc"s, std::string(5000, 'a'), id + "0"}) {
        const auto r = ask(get("/v1/instances/tasks/" + unknown));
        EXPECT_EQ(r.status, 400) << unknown;
        EXPECT_EQ(text(parse(r).at("error_code")), "KOOPHONE.API.1000");
    }
}

TEST_F(Rulings, Ruling18_OrderOfChecks) {
    net::Request r = post("/nothing", "not JSON");
    r.headers.clear();
    expect_error(ask(r), 401, "APIGW.0301");  // credentials before the route
    r.headers = {{"X-Auth-Token", "good"}};
    expect_error(ask(r), 404, "APIGW.0101");  // the route before x-request-id
    r.target = "/v1/instances/sync-command";
    r.method = "PUT";
    const auto wrong = ask(r);
    expect_error(wrong, 405, "APIGW.0101");
    EXPECT_EQ(*wrong.header("Allow"), "POST");
    r.method = "POST";
    expect_error(ask(r), 400, "KOOPHONE.API.1000", "x-request-id");  // x-request-id before the body
    r.headers.push_back({"X-Request-Id", "r"});
    expect_error(ask(r), 400, "KOOPHONE.API.1000", "JSON");
    for (const std::string target :
         {"/v1/instances/../instances/sync-command", "/v1%2Finstances/sync-command", "/v1/instances/sync-command%00",
          "*", "//", "/V1/instances/sync-command", "/v1/instances//sync-command"}) {
        r.target = target;
        EXPECT_EQ(ask(r).status, 404) << target;
    }
    EXPECT_TRUE(phones.opened().empty());
}

}  // namespace
}  // namespace drover::http
