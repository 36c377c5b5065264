// The four documented device calls.
#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "base/utf8.hpp"
#include "http/body.hpp"
#include "http/open_call.hpp"

namespace drover::http {

namespace json = boost::json;

namespace {

bool is_task_id(std::string_view text) {
    return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

// One sync-command under way. Rows come on the phones' loops; what follows the last one happens on a worker, since a Call must
// not be destroyed inside its own sink.
class Service::SyncCall final : public OpenCall, public RowSink {
public:
    SyncCall(Service& service, ExchangePtr x, std::size_t rows)
        : OpenCall(service, x), service_(service), x_(std::move(x)), rows_(rows) {}

    void start(const CommandBody& body) {
        ExecOptions options;
        options.command.text = body.command;
        options.command.limits.total = service_.options_.sync_timeout;
        options.deadline = service_.options_.sync_deadline;
        options.admit = service_.parts_.phones.holds().admission();
        const std::lock_guard lock(mutex_);
        self_ = shared_from_this();
        call_ = service_.parts_.phones.exec(body.instance_ids, std::move(options), *this);
    }
    void on_server_stop() override { stop(Error(Code::interrupted, "")); }
    void stop(const Error& why) override {
        const std::lock_guard lock(mutex_);
        if (call_) call_->stop(why);
    }

    void on_row(Row row) override { rows_.at(row.index) = std::move(row); }
    void on_done() override {
        service_.worker().post([self = std::static_pointer_cast<SyncCall>(shared_from_this())] { self->finish(); });
    }

private:
    void finish() {
        std::unique_ptr<drover::Call> call;
        std::shared_ptr<OpenCall> self;
        {
            const std::lock_guard lock(mutex_);
            call.swap(call_);
            self.swap(self_);
        }
        call.reset();
        service_.parts_.metrics.observe_sync(std::chrono::steady_clock::now() - x_->begin);
        json::array results;
        std::size_t ok = 0;
        for (const auto& row : rows_) {
            service_.parts_.metrics.count_row(row.code, Millis(row.ms));
            ok += row.ok() ? 1 : 0;
            results.push_back(row_item(row));
        }
        x_->audit.outcome = fmt::format("{} ok, {} failed", ok, rows_.size() - ok);
        json::object data;
        data["cmd_results"] = std::move(results);
        service_.answer(x_, ok_response(std::move(data)));
    }

    Service& service_;
    const ExchangePtr x_;
    std::vector<Row> rows_;
    std::mutex mutex_;
    std::unique_ptr<drover::Call> call_;
    std::shared_ptr<OpenCall> self_;  // while the call runs
};

void Service::sync_command(const ExchangePtr& x) {
    x->audited = true;
    const auto body = parse_command_body(x->request.body);
    if (!body) return fail_request(x, kBadRequest, body.error());
    x->audit.command = body->command;
    x->audit.instances = body->instance_ids;
    if (refuse_strangers(x, body->instance_ids)) return;
    open<SyncCall>(x, body->instance_ids.size())->start(*body);
}

void Service::async_command(const ExchangePtr& x) {
    x->audited = true;
    auto body = parse_command_body(x->request.body);
    if (!body) return fail_request(x, kBadRequest, body.error());
    x->audit.command = body->command;
    x->audit.instances = body->instance_ids;
    if (refuse_strangers(x, body->instance_ids)) return;
    task::TaskRequest request;
    request.tenant = x->caller.tenant->name;
    request.command = std::move(body->command);
    request.instance_ids = std::move(body->instance_ids);
    request.timeout = options_.async_timeout;
    parts_.runner.submit(std::move(request), [this, x](const Result<store::TaskRecord>& accepted) {
        if (!accepted) return fail_internally(x, accepted.error());
        json::object data;
        data["task_id"] = accepted->task_id;
        json::array jobs;
        for (const auto& job : accepted->jobs) {
            json::object item;
            item["instance_id"] = job.instance_id;
            item["job_id"] = job.job_id;
            jobs.push_back(std::move(item));
        }
        data["cmd_jobs"] = std::move(jobs);
        x->audit.outcome = "task " + accepted->task_id;
        answer(x, ok_response(std::move(data)));
    });
}

void Service::with_task(const ExchangePtr& x, std::function<void(store::TaskRecord)> use) {
    const auto& id = x->routed.params.at(0);
    const auto unknown = [this, x, id] {
        fail_request(x, kBadRequest, fmt::format("there is no task {}", sanitize_utf8(id.substr(0, 64))));
    };
    if (!is_task_id(id)) return unknown();
    worker().post([this, x, id, unknown, use = std::move(use)] {
        auto found = parts_.store.find(id);
        if (!found) return fail_internally(x, found.error());
        // Another tenant's task is as unknown as one that never was.
        const bool mine = *found && ((*found)->tenant == x->caller.tenant->name || x->caller.way == AuthWay::socket);
        if (!mine) return unknown();
        use(std::move(**found));
    });
}

void Service::task_query(const ExchangePtr& x) {
    with_task(x, [this, x](const store::TaskRecord& task) {
        json::array jobs;
        for (const auto& job : task.jobs) jobs.push_back(job_item(job));
        json::object data;
        data["jobs"] = std::move(jobs);
        answer(x, ok_response(std::move(data)));
    });
}

void Service::batch_status(const ExchangePtr& x) {
    const auto ids = parse_ids_body(x->request.body);
    if (!ids) return fail_request(x, kBadRequest, ids.error());
    json::array results;
    for (const auto& id : *ids) {
        if (!x->caller.tenant->may_use(id)) continue;
        if (const auto status = parts_.phones.status(id))
            results.push_back(status_item(id, *status, options_.status_axis));
    }
    if (results.empty()) {
        (void)refuse_strangers(x, *ids);
        return;
    }
    json::object data;
    data["status_results"] = std::move(results);
    answer(x, ok_response(std::move(data)));
}

}  // namespace drover::http
