// The service over phones that answer as a test says and a store in memory: a request in, its answer out. One thread.
#pragma once
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <future>

#include "http/service.hpp"
#include "support/fake_phones.hpp"
#include "support/memory_task_store.hpp"
#include "support/temp_dir.hpp"

namespace drover::http {

inline boost::json::value parse(const net::Response& response) { return boost::json::parse(response.body); }
inline std::string text(const boost::json::value& value) { return std::string(value.as_string().c_str()); }

class ServiceTest : public ::testing::Test {
protected:
    ServiceTest() {
        runner.start();
        make({});
    }

    void make(ServiceOptions options) {
        service.reset();
        service = std::make_unique<Service>(ServiceParts{phones, runner, store, sources, metrics, *audit},
                                            std::move(options));
        auto all = std::make_shared<Tenant>();
        all->name = "all";
        all->all = true;
        auto some = std::make_shared<Tenant>();
        some->name = "some";
        some->instances = {"a44uhlf7"};
        service->set_authenticator(std::make_shared<Authenticator>(
            std::vector<Authenticator::Token>{{sha256("good"), all}, {sha256("limited"), some}},
            std::vector<Authenticator::Key>{{"AK", "SK", all}}));
    }

    net::Request post(std::string target, std::string body) {
        net::Request r;
        r.method = "POST";
        r.target = std::move(target);
        r.body = std::move(body);
        r.peer = "127.0.0.1";
        r.headers = {{"X-Auth-Token", "good"}, {"X-Request-Id", "r-1"}};
        return r;
    }
    net::Request get(std::string target) {
        auto r = post(std::move(target), "");
        r.method = "GET";
        return r;
    }
    net::Response ask(net::Request request) {
        auto answered = std::make_shared<std::promise<net::Response>>();
        service->handle(std::move(request),
                        net::Reply([answered](net::Response r) { answered->set_value(std::move(r)); }));
        return answered->get_future().get();
    }
    net::Response sync(std::string body) { return ask(post("/v1/instances/sync-command", std::move(body))); }
    net::Response async(std::string body) { return ask(post("/v1/instances/async-command", std::move(body))); }
    net::Response status(std::string body) { return ask(post("/v1/instances/batch-query-status", std::move(body))); }

    // A documented error: its HTTP status, its code, both texts, the request id; and nothing has run.
    void expect_error(const net::Response& r, int http_status, std::string_view code, std::string_view part = "") {
        EXPECT_EQ(r.status, http_status) << r.body;
        const auto body = parse(r);
        EXPECT_EQ(text(body.at("error_code")), code);
        EXPECT_EQ(body.at("error_msg"), body.at("error_info"));
        EXPECT_NE(text(body.at("error_msg")).find(part), std::string::npos) << r.body;
        ASSERT_TRUE(r.header("X-Request-Id"));
        EXPECT_EQ(text(body.at("request_id")), *r.header("X-Request-Id"));
        EXPECT_TRUE(phones.opened().empty()) << "something has run";
    }

    test::FakePhones phones{{"a44uhlf7", "efjy72gs", "third"}};
    test::MemoryTaskStore store;
    test::TempDir dir;
    store::SourceStore sources{*store::SqliteFile::open(dir / "sources.db")};
    task::TaskRunner runner{phones, store, {}};
    Metrics metrics;
    std::unique_ptr<AuditLog> audit = std::make_unique<AuditLog>(dir / "audit.log");
    std::unique_ptr<Service> service;
};

constexpr std::string_view kSeedBody = R"({"command" : "ls -l /system", "instance_ids" : [ "a44uhlf7", "efjy72gs" ]})";

}  // namespace drover::http
