// kill -9 under load: every accepted task ends, and no command runs twice.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/serialize.hpp>
#include <thread>

#include "net/http_client.hpp"
#include "support/rounds.hpp"
#include "support/serve.hpp"

namespace drover::test {
namespace {

constexpr int kCrashPhones = 5;

std::string body_of(int number) {
    boost::json::object o;
    // A second run of the same command would find its directory and say so.
    o["command"] = fmt::format("mkdir once-{}", number);
    boost::json::array ids;
    for (int i = 1; i <= kCrashPhones; ++i) ids.emplace_back(fmt::format("vphone-{:04}", i));
    o["instance_ids"] = std::move(ids);
    return boost::json::serialize(o);
}

Result<net::Response> exchange(const ServeHome& home, const std::string& url, std::string method, std::string target,
                               std::string body = "") {
    net::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    request.headers = {{"X-Auth-Token", home.token()}, {"X-Request-Id", "crash"}};
    return net::exchange(*net::parse_url(url), request, {});
}

TEST(ApiCrash, EveryAcceptedTaskEndsAndNothingRunsTwice) {
    const ServeHome home;
    const SimProcess sim(kCrashPhones);
    const auto inventory = sim.inventory();
    // Nobody reads its stderr while it works: a line per request would fill the pipe and hold it up.
    const auto quiet = home.dir().write("quiet.yaml", "version: 1\nlog: {level: error}\n").string();
    std::vector<std::string> accepted;
    int number = 0;
    for (unsigned round = 0; round < rounds(5); ++round) {
        ServeProcess serve(home, inventory, {"--config", quiet});
        // Killed while requests are under way: the client goes on until nobody answers.
        const std::size_t enough = accepted.size() + 20;
        std::atomic<std::size_t> count = accepted.size();
        std::thread killer([&] {
            while (count < enough) std::this_thread::yield();
            serve.process().signal(SIGKILL);
        });
        while (true) {
            const auto answer = exchange(home, serve.url(), "POST", "/v1/instances/async-command", body_of(++number));
            if (!answer) break;
            ASSERT_EQ(answer->status, 200) << answer->body;
            accepted.emplace_back(boost::json::parse(answer->body).at("data").at("task_id").as_string().c_str());
            ++count;
        }
        killer.join();
        ASSERT_GE(accepted.size(), enough);
        ASSERT_TRUE(serve.process().wait());
    }
    ServeProcess serve(home, inventory, {"--config", quiet});
    std::size_t ok = 0, interrupted = 0;
    for (const auto& id : accepted) {
        const auto until = std::chrono::steady_clock::now() + kWaitMax;
        boost::json::value jobs;
        bool open = true;
        while (open && std::chrono::steady_clock::now() < until) {
            const auto answer = exchange(home, serve.url(), "GET", "/v1/instances/tasks/" + id);
            ASSERT_TRUE(answer) << answer.error().message;
            ASSERT_EQ(answer->status, 200) << "an accepted task is lost: " << answer->body;
            jobs = boost::json::parse(answer->body).at("data").at("jobs");
            open = false;
            for (const auto& job : jobs.as_array()) open = open || job.at("status") == 1;
        }
        ASSERT_FALSE(open) << "task " << id << " does not end";
        for (const auto& job : jobs.as_array()) {
            const std::string said(job.at("execute_msg").as_string().c_str());
            EXPECT_EQ(said.find("exists"), std::string::npos) << "a command ran twice: " << said;
            if (job.at("status") == 2) {
                ++ok;
            } else {
                EXPECT_EQ(std::string(job.at("drover_code").as_string().c_str()), "DROVER.5002")
                    << boost::json::serialize(job);
                ++interrupted;
            }
        }
    }
    EXPECT_EQ(ok + interrupted, accepted.size() * kCrashPhones);
    EXPECT_GT(ok, 0u);  // how many the kills met depends on the machine
    EXPECT_EQ(serve.stop(), 0);
}

}  // namespace
}  // namespace drover::test
