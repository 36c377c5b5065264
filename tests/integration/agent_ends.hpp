// Both ends of the agent's protocol at once: one drover is the controller, another the agent, on virtual phones. Same rules as
// support/process.hpp.
#pragma once
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json/serialize.hpp>

#include "net/http_client.hpp"
#include "support/serve.hpp"

namespace drover::test {

constexpr int kAgentPhones = 3;

class AgentEnds : public ::testing::Test {
protected:
    AgentEnds() {
        control();
        EXPECT_EQ(home.drover({"source", "add", kId}).code(), 0);
        EXPECT_EQ(::mkdir((dir / "logs").c_str(), 0700), 0);
        dir.write("token", home.token() + "\n");
        EXPECT_EQ(::chmod((dir / "token").c_str(), 0600), 0);
        dir.write("long.yaml",
                  "version: 1\nname: long\nsteps:\n  - name: long\n    run: echo begun; sleep 600\n    timeout: 20m\n");
    }
    void control() {
        controller = std::make_unique<ServeProcess>(home, none, std::vector<std::string>{"--config", quiet});
    }
    // Kills the controller and starts it again over what it left.
    void kill_controller() {
        controller->process().signal(SIGKILL);
        ASSERT_TRUE(controller->process().wait());
        control();
    }
    void kill_agent() {
        agent->signal(SIGKILL);
        ASSERT_TRUE(agent->wait());
    }

    // A job that leaves one line more on each phone whenever it runs.
    void add_job(const std::string& task) {
        dir.write(task + ".yaml", "version: 1\nname: " + task + "\nsteps:\n  - name: count\n    run: echo run >> " +
                                      task + "; cat " + task + "\n");
        jobs += "    " + task + ": " + task + ".yaml\n";
    }
    std::string write_config(const std::string& who, const std::string& url) {
        return dir
            .write("agent.yaml", "version: 1\nstate_dir: state\nagent:\n  controller: '" + url +
                                     "'\n  server_id: " + kId + "\n" + who +
                                     "  poll: 100ms\n  retry: 50ms\n  retry_max: 500ms\n  jobs:\n" + jobs +
                                     "  buckets:\n    lab: {directory: logs, mode: '0755'}\nlog: {audit: audit.log}\n")
            .string();
    }
    void start_agent() { start_agent(sim.inventory()); }
    void start_agent(const std::string& inventory) {
        const auto config = write_config("  token_file: token\n", "unix:" + home.socket());
        agent = std::make_unique<Process>(
            drover_command({"agent", "--config", config, "--inventory", inventory}, home.env()));
        ASSERT_TRUE(agent->wait_for_line("ready: agent")) << agent->err();
    }

    std::int64_t send(const std::string& name, const std::string& task, const std::string& bucket = "") {
        std::vector<std::string> args{"source", "send", kId, name, "--json"};
        if (!task.empty()) args.insert(args.end(), {"--task", task});
        if (!bucket.empty()) args.insert(args.end(), {"--bucket", bucket});
        const auto sent = home.drover(args);
        EXPECT_EQ(sent.code(), 0) << sent.err;
        return boost::json::parse(sent.out).at("number").to_number<std::int64_t>();
    }
    boost::json::object command(std::int64_t number) {
        net::Request request;
        request.method = "GET";
        request.target = "/v3/sources/" + kId + "/commands";
        const auto answer = net::exchange(*net::parse_url("unix:" + home.socket()), request, {});
        EXPECT_TRUE(answer) << answer.error().message;
        if (!answer) return {};
        const auto data = boost::json::parse(answer->body).at("data");
        for (const auto& value : data.at("commands").as_array()) {
            if (value.at("number").to_number<std::int64_t>() == number) return value.as_object();
        }
        return {};
    }
    // Waits until the command is in this state.
    boost::json::object wait_for(std::int64_t number, const std::string& state) {
        const auto until = std::chrono::steady_clock::now() + kWaitMax;
        boost::json::object found;
        do {
            found = command(number);
            if (!found.empty() && found.at("state").as_string().c_str() == state) return found;
            // Reads the agent's log meanwhile, and leaves the processors to it.
            if (agent) (void)agent->wait_for_error_line("nothing says this", std::chrono::milliseconds(20));
        } while (std::chrono::steady_clock::now() < until && !HasFailure());
        ADD_FAILURE() << "command " << number << " does not become " << state << ": " << boost::json::serialize(found)
                      << (agent ? "\n" + agent->err() : "");
        return {};
    }
    // "success: MSG" or "fail: MSG"
    std::string result_of(std::int64_t number) {
        const auto done = wait_for(number, "done");
        if (done.empty()) return "";
        return std::string(done.at("result").as_string().c_str()) + ": " +
               done.at("result_detail").at("msg").as_string().c_str();
    }
    // How often the task's command ran on each phone.
    std::vector<std::size_t> runs(const std::string& task) {
        const auto said = run_drover({"exec", "--inventory", sim.inventory(), "--timeout", "60s", "--json", "--",
                                      "cat " + task + " 2>/dev/null || true"},
                                     home.env());
        std::vector<std::size_t> all;
        const auto rows = boost::json::parse(said.out).at("rows").as_array();
        for (const auto& row : rows) {
            const std::string text(row.at("execute_msg").as_string().c_str());
            all.push_back(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')));
        }
        return all;
    }
    const std::vector<std::size_t> once = std::vector<std::size_t>(kAgentPhones, 1);

    const std::string kId = "rack-7";
    const TempDir dir;
    ServeHome home;
    const std::string quiet = home.dir().write("quiet.yaml", "version: 1\nlog: {level: error}\n").string();
    const std::string none = home.dir().write("none.yaml", "version: 1\ninstances: []\n").string();
    SimProcess sim{kAgentPhones};
    std::string jobs = "    long: long.yaml\n";
    std::unique_ptr<ServeProcess> controller;
    std::unique_ptr<Process> agent;
};

}  // namespace drover::test
