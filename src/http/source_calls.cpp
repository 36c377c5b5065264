// The controller's side of agents: the two documented calls an agent makes, and drover's own that fill and show the queues.
#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "base/utf8.hpp"
#include "http/exchange.hpp"
#include "http/source_body.hpp"

namespace drover::http {

namespace json = boost::json;

namespace {

json::object param_object(const store::SourceCommand& command) {
    json::object param;
    if (command.task_id) param["task_id"] = *command.task_id;
    if (command.bucket) param["bucket"] = *command.bucket;
    return param;
}

json::object command_object(const store::SourceCommand& command) {
    constexpr std::array<json::string_view, 3> kStates{"waiting", "delivered", "done"};
    json::object o;
    o["number"] = command.number;
    o["command_name"] = command.name;
    o["command_param"] = param_object(command);
    o["state"] = kStates[static_cast<std::size_t>(command.state)];
    o["created"] = utc_value(command.created_ms);
    o["delivered"] = utc_value(command.delivered_ms);
    o["ended"] = utc_value(command.ended_ms);
    if (command.state != store::CommandState::done) return o;
    o["result"] = command.result;
    boost::system::error_code error;
    o["result_detail"] = json::parse(command.detail, error);
    return o;
}

json::object source_object(const store::Source& source) {
    json::object o;
    o["server_id"] = source.server_id;
    o["tenant"] = source.tenant;
    o["created"] = utc_value(source.created_ms);
    o["polled"] = utc_value(source.polled_ms);
    o["waiting"] = source.waiting;
    o["delivered"] = source.delivered;
    return o;
}

bool may_use(const Caller& caller, const store::Source& source) {
    if (caller.way == AuthWay::socket) return true;
    return source.tenant.empty() ? caller.tenant->all : source.tenant == caller.tenant->name;
}

std::string audit_text(std::string_view name, const std::optional<std::string>& task) {
    return fmt::format("{} {}", name, task.value_or(""));
}

}  // namespace

std::shared_ptr<void> Service::hold() {
    const std::lock_guard lock(mutex_);
    ++holds_;
    return {this, [](Service* service) {
                const std::lock_guard released(service->mutex_);
                --service->holds_;
                service->calls_changed_.notify_all();
            }};
}

// Another tenant's source is as unknown as one that never was.
void Service::with_source(const ExchangePtr& x, std::function<void()> use) {
    worker().post([this, x, use = std::move(use)] {
        const auto& id = x->routed.params.at(0);
        const auto found = parts_.sources.find(id);
        if (!found) return fail_internally(x, found.error());
        if (*found && may_use(x->caller, **found)) return use();
        answer(x, error_response(404, kNoSuchApi,
                                 fmt::format("there is no source server {}", sanitize_utf8(id.substr(0, 64))),
                                 x->request_id));
    });
}

void Service::source_command(const ExchangePtr& x) {
    with_source(x, [this, x] {
        parts_.sources.take(x->routed.params.at(0), task::now_ms(), [this, x, hold = hold()](const auto& taken) {
            if (!taken) return fail_internally(x, taken.error());
            json::object body;
            if (*taken) {
                body["command_name"] = (*taken)->name;
                body["command_param"] = param_object(**taken);
            }
            answer(x, json_response(200, body));
        });
    });
}

void Service::source_result(const ExchangePtr& x) {
    x->audited = true;
    with_source(x, [this, x] {
        auto result = parse_result_body(x->request.body);
        if (!result) return fail_request(x, kBadResult, result.error());
        x->audit.command = audit_text(result->name, result->task_id);
        auto message = fmt::format("this source server has no delivered {}{} without a result", result->name,
                                   result->task_id ? " of task " + *result->task_id : "");
        parts_.sources.accept(
            x->routed.params.at(0), std::move(*result), task::now_ms(),
            [this, x, hold = hold(), message = std::move(message)](const Result<store::ResultTaken>& taken) {
                if (!taken) return fail_internally(x, taken.error());
                if (*taken == store::ResultTaken::unmatched) return fail_request(x, kNoCommand, message);
                x->audit.outcome = *taken == store::ResultTaken::accepted ? "taken" : "repeated";
                answer(x, net::Response());
            });
    });
}

void Service::source_enqueue(const ExchangePtr& x) {
    x->audited = true;
    with_source(x, [this, x] {
        auto command = parse_source_command_body(x->request.body);
        if (!command) return fail_request(x, kBadRequest, command.error());
        x->audit.command = audit_text(command->name, command->task_id);
        command->created_ms = task::now_ms();
        parts_.sources.enqueue(
            x->routed.params.at(0), std::move(*command), [this, x, hold = hold()](const auto& added) {
                if (!added) return fail_internally(x, added.error());
                if (added->first == store::CommandAdded::full) {
                    return fail_request(x, kBadRequest,
                                        fmt::format("{} commands wait for this source server already",
                                                    store::SourceStore::kOpenCommandsMax));
                }
                const bool merged = added->first == store::CommandAdded::merged;
                x->audit.outcome = fmt::format("command {}{}", added->second, merged ? ", merged" : "");
                json::object data;
                data["number"] = added->second;
                data["merged"] = merged;
                answer(x, ok_response(std::move(data)));
            });
    });
}

void Service::source_commands(const ExchangePtr& x) {
    with_source(x, [this, x] {
        const auto commands = parts_.sources.commands(x->routed.params.at(0), store::SourceStore::kListMax);
        if (!commands) return fail_internally(x, commands.error());
        json::array all;
        for (const auto& command : *commands) all.push_back(command_object(command));
        json::object data;
        data["commands"] = std::move(all);
        answer(x, ok_response(std::move(data)));
    });
}

void Service::own_sources(const ExchangePtr& x) {
    worker().post([this, x] {
        const auto sources = parts_.sources.list("");
        if (!sources) return fail_internally(x, sources.error());
        json::array all;
        for (const auto& source : *sources) {
            if (may_use(x->caller, source)) all.push_back(source_object(source));
        }
        json::object data;
        data["sources"] = std::move(all);
        answer(x, ok_response(std::move(data)));
    });
}

void Service::own_source_add(const ExchangePtr& x) {
    x->audited = true;
    auto source = parse_source_body(x->request.body);
    if (!source) return fail_request(x, kBadRequest, source.error());
    // Whoever comes with a token adds sources of its own; the Unix socket may add them for anybody.
    if (x->caller.way != AuthWay::socket) {
        if (!source->tenant.empty() && source->tenant != x->caller.tenant->name)
            return fail_request(x, kNoPermission, "a source server can be added for another tenant on its host only");
        source->tenant = x->caller.tenant->name;
    }
    source->created_ms = task::now_ms();
    x->audit.command = "add " + source->server_id;
    json::object data;
    data["server_id"] = source->server_id;
    data["tenant"] = source->tenant;
    parts_.sources.add(std::move(*source), [this, x, hold = hold(), data](const Result<store::SourceAdded>& added) {
        if (!added) return fail_internally(x, added.error());
        if (*added == store::SourceAdded::taken)
            return fail_request(x, kNoPermission, "this server_id belongs to another tenant");
        if (*added == store::SourceAdded::full) return fail_request(x, kBadRequest, "there are too many sources");
        x->audit.outcome = "ok";
        answer(x, ok_response(data));
    });
}

}  // namespace drover::http
