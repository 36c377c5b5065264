// drover's own calls under /drover/v1, for its command line; and the metrics.
#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>

#include "base/json_view.hpp"
#include "http/exchange.hpp"

namespace drover::http {

namespace json = boost::json;

namespace {

json::object summary_object(const store::TaskSummary& t) {
    json::object o;
    o["task_id"] = t.task_id;
    o["tenant"] = t.tenant;
    o["command"] = t.command;
    o["created"] = utc_value(t.created_ms);
    o["ended"] = utc_value(t.ended_ms);
    o["cancelled"] = t.cancelled;
    o["queued"] = t.queued;
    o["running"] = t.running;
    o["ok"] = t.ok;
    o["failed"] = t.failed;
    return o;
}

json::string_view job_state(store::JobState state) {
    constexpr std::array<json::string_view, 3> kNames{"queued", "running", "ended"};
    return kNames[static_cast<std::size_t>(state)];
}

// Here the exact code stands in error_code itself, as in the rows of the command line.
json::object exact_job(const store::JobRecord& job) {
    auto item = job_item(job);
    item["state"] = job_state(job.state);
    item["attempts"] = job.result.attempts;
    item["ms"] = job.result.ms;
    const auto& code = info(job.result.code);
    item["error_code"] = json_view(code.name);
    item["error_msg"] = job.result.error_msg;
    item.erase("drover_code");
    item.erase("drover_msg");
    return item;
}

}  // namespace

void Service::own_tasks(const ExchangePtr& x) {
    worker().post([this, x] {
        const auto tasks = parts_.store.list(x->caller.way == AuthWay::socket ? "" : x->caller.tenant->name,
                                             store::TaskStore::kListMax);
        if (!tasks) return fail_internally(x, tasks.error());
        json::array all;
        for (const auto& t : *tasks) all.push_back(summary_object(t));
        json::object data;
        data["tasks"] = std::move(all);
        answer(x, ok_response(std::move(data)));
    });
}

void Service::own_task(const ExchangePtr& x) {
    with_task(x, [this, x](const store::TaskRecord& task) {
        json::object data;
        data["task_id"] = task.task_id;
        data["tenant"] = task.tenant;
        data["command"] = task.command;
        data["created"] = utc_value(task.created_ms);
        data["ended"] = utc_value(task.ended_ms);
        data["cancelled"] = task.cancelled;
        json::array jobs;
        for (const auto& job : task.jobs) jobs.push_back(exact_job(job));
        data["jobs"] = std::move(jobs);
        answer(x, ok_response(std::move(data)));
    });
}

void Service::own_task_cancel(const ExchangePtr& x) {
    x->audited = true;
    with_task(x, [this, x](const store::TaskRecord& task) {
        const bool ended = task.ended_ms.has_value();
        parts_.runner.cancel(task.task_id, [this, x, id = task.task_id, ended](const Result<void>& cancelled) {
            if (!cancelled) return fail_internally(x, cancelled.error());
            x->audit.outcome = "task " + id;
            json::object data;
            data["task_id"] = id;
            data["ended"] = ended;
            answer(x, ok_response(std::move(data)));
        });
    });
}

void Service::own_devices(const ExchangePtr& x) {
    json::array all;
    for (const auto& id : parts_.phones.ids()) {
        if (!x->caller.tenant->may_use(id)) continue;
        if (const auto status = parts_.phones.status(id))
            all.push_back(status_item(id, *status, StatusAxis::lifecycle));
    }
    json::object data;
    data["devices"] = std::move(all);
    answer(x, ok_response(std::move(data)));
}

void Service::metrics_text(const ExchangePtr& x) {
    std::array<double, 6> by_status{};
    for (const auto& id : parts_.phones.ids()) {
        if (const auto status = parts_.phones.status(id)) by_status.at(static_cast<std::size_t>(status->status)) += 1;
    }
    std::vector<Metrics::Gauge> gauges;
    auto& phones = gauges.emplace_back(Metrics::Gauge{"drover_phones", "Phones by documented status.", {}});
    for (std::size_t i = 0; i < by_status.size(); ++i)
        phones.values.emplace_back(fmt::format("status=\"{}\"", i), by_status[i]);
    gauges.push_back(
        {"drover_jobs_open", "Jobs accepted and not ended.", {{"", static_cast<double>(parts_.runner.open_jobs())}}});
    gauges.push_back(
        {"drover_tasks_queued", "Tasks waiting to begin.", {{"", static_cast<double>(parts_.runner.queued_tasks())}}});
    gauges.push_back(
        {"drover_tasks_running", "Tasks at work.", {{"", static_cast<double>(parts_.runner.running_tasks())}}});
    gauges.push_back({"drover_link_reconnects_total",
                      "Phones that came back after their link was lost.",
                      {{"", static_cast<double>(parts_.phones.reconnects())}},
                      "counter"});
    gauges.push_back(
        {"drover_calls_open", "Calls and streams under way.", {{"", static_cast<double>(open_calls().size())}}});
    gauges.push_back({"drover_phones_held",
                      "Phones that a run has for itself.",
                      {{"", static_cast<double>(parts_.phones.holds().phones())}}});
    if (options_.more_gauges) {
        for (auto& gauge : options_.more_gauges()) gauges.push_back(std::move(gauge));
    }
    net::Response response;
    response.headers.push_back({"Content-Type", "text/plain; version=0.0.4"});
    response.body = parts_.metrics.text(gauges);
    answer(x, std::move(response));
}

}  // namespace drover::http
