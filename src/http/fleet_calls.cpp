// Drover's own calls on phones, under /drover/v1: what its command line does, through a running `drover serve`.
//
// A command here is a line for the phone's shell, with every character: whoever may use this call has a shell on those phones, as
// with adb. It takes the same credentials as the documented calls (the Unix socket's permissions, a token, a signature), and
// reaches the same instances. A token for people who shall run only the documented command set is not one to hand out.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <unordered_map>
#include <unordered_set>

#include "base/ascii.hpp"
#include "base/utf8.hpp"
#include "dispatch/call_time.hpp"
#include "drover/job.hpp"
#include "http/change_stream.hpp"
#include "http/hold_wait.hpp"
#include "http/remote_job.hpp"
#include "http/row_stream.hpp"
#include "http/watch_stream.hpp"
#include "job/model.hpp"
#include "report/phone_json.hpp"
#include "report/printable.hpp"
#include "report/status_text.hpp"

namespace drover::http {

namespace json = boost::json;

struct Service::Chosen {
    std::shared_ptr<Fleet> fleet;
    std::vector<std::size_t> targets;
    std::size_t disabled_left_out = 0;
    std::vector<std::size_t> disabled;  // which those are, of the caller's
    std::vector<std::string> unknown_ids;

    json::array ids() const {
        json::array all;
        for (const auto target : targets) all.emplace_back(fleet->instances().at(target).id);
        return all;
    }
};

namespace {

bool is_id_character(char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; }

// Whether the selector has this id as a word of its own.
bool names(std::string_view selector, std::string_view id) {
    for (auto at = selector.find(id); at != std::string_view::npos; at = selector.find(id, at + 1)) {
        const auto end = at + id.size();
        const bool begins = at == 0 || !is_id_character(selector[at - 1]);
        if (begins && (end == selector.size() || !is_id_character(selector[end]))) return true;
    }
    return false;
}

Result<Selection> select_by_id(const Fleet& fleet, const std::vector<std::string>& ids) {
    std::unordered_map<std::string_view, std::size_t> index;
    for (std::size_t i = 0; i < fleet.instances().size(); ++i) index.emplace(fleet.instances()[i].id, i);
    Selection selection;
    std::unordered_set<std::string_view> seen;
    for (const auto& id : ids) {
        if (!seen.insert(id).second) continue;
        const auto it = index.find(id);
        if (it == index.end()) {
            selection.unknown_ids.push_back(id);
        } else {
            selection.targets.push_back(it->second);
        }
    }
    return selection;
}

std::string said(const net::Request& request, std::string_view key) {
    boost::system::error_code error;
    const auto value = json::parse({request.body.data(), request.body.size()}, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto* text = object ? object->if_contains({key.data(), key.size()}) : nullptr;
    if (!text || !text->is_string()) return {};
    return std::string(text->get_string().data(), std::min<std::size_t>(text->get_string().size(), 64));
}

}  // namespace

void Service::choose(const ExchangePtr& x, Waits waits, UseChosen use) {
    worker().post([this, x, waits, use = std::move(use)]() mutable {
        auto request = read_call_request(x->request.body);
        if (!request) return fail_call(x, request.error());
        const bool asks = request->on && dispatch::may_ask_phones(*request->on);
        if (waits == Waits::for_selector && !asks) return use_phones(x, std::move(*request), use);
        wait_for_phones(
            [this, x, request = std::move(*request), use = std::move(use)] { use_phones(x, request, use); });
    });
}

void Service::use_phones(const ExchangePtr& x, CallRequest request, const UseChosen& use) {
    Chosen chosen;
    chosen.fleet = parts_.phones.fleet();
    if (!chosen.fleet) return fail_internally(x, Error(Code::internal, "there is no fleet"));
    const auto begin = std::chrono::steady_clock::now();
    const auto connect = std::min(request.limits.connect, dispatch::selection_limit(request.deadline));
    auto selection =
        request.on ? chosen.fleet->select(*request.on, connect) : select_by_id(*chosen.fleet, request.instance_ids);
    if (request.deadline && request.on)
        request.deadline = dispatch::what_is_left(*request.deadline, *request.on, begin);
    if (!selection) return fail_call(x, selection.error());
    chosen.disabled_left_out = selection->disabled_left_out;
    chosen.unknown_ids = std::move(selection->unknown_ids);
    for (const auto target : selection->disabled) {
        if (x->caller.tenant->may_use(chosen.fleet->instances().at(target).id)) chosen.disabled.push_back(target);
    }
    // A phone of somebody else is as unknown as one that does not exist.
    for (const auto target : selection->targets) {
        const auto& id = chosen.fleet->instances().at(target).id;
        if (x->caller.tenant->may_use(id)) {
            chosen.targets.push_back(target);
        } else if (!request.on || names(*request.on, id)) {
            chosen.unknown_ids.push_back(id);
        }
    }
    use(request, std::move(chosen));
}

void Service::own_select(const ExchangePtr& x) {
    choose(x, Waits::for_selector, [this, x](const CallRequest&, const Chosen& chosen) {
        json::object data;
        data["instance_ids"] = chosen.ids();
        data["disabled_left_out"] = chosen.disabled_left_out;
        json::array unknown;
        for (const auto& id : chosen.unknown_ids) unknown.emplace_back(id);
        data["unknown_ids"] = std::move(unknown);
        data["phones_held"] = parts_.phones.holds().phones();
        data["version"] = DROVER_VERSION;
        answer(x, ok_response(std::move(data)));
    });
}

void Service::own_probe(const ExchangePtr& x) {
    choose(x, Waits::always, [this, x](const CallRequest& request, const Chosen& chosen) {
        json::array all;
        for (auto& phone : chosen.fleet->probe(chosen.targets, std::min(request.limits.connect, kConnectMax))) {
            phone.held_by = held_text(phone.instance.id);
            all.push_back(report::phone_object(phone));
        }
        json::object data;
        data["devices"] = std::move(all);
        answer(x, ok_response(std::move(data)));
    });
}

void Service::own_status(const ExchangePtr& x) {
    choose(x, Waits::for_selector, [this, x](const CallRequest& request, const Chosen& chosen) {
        json::array all;
        for (const auto target : chosen.targets) {
            auto history = chosen.fleet->history(target);
            history.back().held_by = held_text(chosen.fleet->instances().at(target).id);
            json::array states;
            for (std::size_t i = request.history ? 0 : history.size() - 1; i < history.size(); ++i)
                states.push_back(report::state_object(history[i]));
            json::object phone;
            phone["instance_id"] = chosen.fleet->instances().at(target).id;
            phone["states"] = std::move(states);
            all.push_back(std::move(phone));
        }
        json::object data;
        data["phones"] = std::move(all);
        answer(x, ok_response(std::move(data)));
    });
}

// By whom a phone is held, for people; empty: by no run.
std::string Service::held_text(const std::string& id) {
    const auto hold = parts_.phones.holds().of(id);
    return hold ? hold->text() : std::string();
}

void Service::own_watch(const ExchangePtr& x) {
    choose(x, Waits::for_selector, [this, x](const CallRequest&, const Chosen& chosen) {
        if (!chosen.unknown_ids.empty() || chosen.targets.empty()) return fail_no_match(x, chosen);
        open<WatchStream>(x, chosen.fleet)->start(chosen.targets);
    });
}

void Service::own_changes(const ExchangePtr& x) { open<ChangeStream>(x)->start(); }

void Service::fail_no_match(const ExchangePtr& x, const Chosen& chosen) {
    fail_call(
        x, Error(Code::nothing_matched, chosen.unknown_ids.empty()
                                            ? "no phone matches"
                                            : fmt::format("no such phone: {}", fmt::join(chosen.unknown_ids, ", "))));
}

// Audit, and the refusal of what is not there.
bool Service::may_begin(const ExchangePtr& x, const Chosen& chosen) {
    for (const auto target : chosen.targets) x->audit.instances.push_back(chosen.fleet->instances().at(target).id);
    if (chosen.unknown_ids.empty() && !chosen.targets.empty()) return true;
    fail_no_match(x, chosen);
    return false;
}

void Service::own_exec(const ExchangePtr& x) {
    x->audited = true;
    choose(x, Waits::for_selector, [this, x](const CallRequest& request, const Chosen& chosen) {
        x->audit.command = request.command;
        if (request.command.find_first_not_of(" \t\n") == std::string::npos)
            return fail_call(x, Error(Code::usage, "command is missing or empty"));
        if (!may_begin(x, chosen)) return;
        const auto begin = [&](Fleet& fleet, const std::vector<std::size_t>& targets, OutputSink* output,
                               RowSink& rows) {
            ExecOptions options;
            options.command = Command{request.command, request.limits};
            options.command.limits.total = request.timeout.value_or(Limits{}.total);
            options.max_parallel = request.max_parallel;
            options.deadline = request.deadline;
            options.output = output;
            if (!request.shared) options.admit = parts_.phones.holds().admission();
            return fleet.exec(targets, std::move(options), rows);
        };
        open<RowStream>(x, chosen.fleet, chosen.targets)->start(begin, request.output, chosen.disabled_left_out);
    });
}

void Service::own_run(const ExchangePtr& x) {
    x->audited = true;
    choose(x, Waits::for_selector, [this, x](const CallRequest& request, const Chosen& chosen) {
        const auto file = request.file.empty() ? std::string("job") : request.file;
        if (const auto allowed = check_remote_job(request.job, file, request.client_notifies); !allowed)
            return fail_call(x, allowed.error());
        const auto job = Job::parse(request.job, file);
        if (!job) return fail_call(x, job.error().front());
        x->audit.command = "job " + job->name();
        if (!may_begin(x, chosen)) return;
        const bool taken = !request.hold.empty();
        if (taken && !parts_.phones.holds().begin(request.hold, x->caller.tenant->name))
            return fail_call(x, Error(Code::not_granted, "the hold is over, or its run has begun"));
        const auto begin = [&](Fleet& fleet, const std::vector<std::size_t>& targets, OutputSink* output,
                               RowSink& rows) {
            RunOptions options;
            options.timeout = request.timeout;
            options.limits = request.limits;
            options.max_parallel = request.max_parallel;
            options.deadline = request.deadline;
            options.output = output;
            return run(fleet, *job, targets, options, rows);
        };
        const auto stream = open<RowStream>(x, chosen.fleet, chosen.targets, taken ? request.hold : task::new_id());
        stream->hold(job->name());
        stream->start(begin, request.output, chosen.disabled_left_out);
    });
}

// Phones for a run to come, which names the hold then.
void Service::own_hold(const ExchangePtr& x) {
    choose(x, Waits::for_selector, [this, x](const CallRequest& request, const Chosen& chosen) {
        if (!chosen.unknown_ids.empty() || chosen.targets.empty()) return fail_no_match(x, chosen);
        if (request.count > chosen.targets.size())
            return fail_call(
                x, Error(Code::too_few, fmt::format("{} phones are wanted, {} match{}", request.count,
                                                    chosen.targets.size(), chosen.targets.size() == 1 ? "es" : "")));
        if (hold_waits().size() >= kHoldWaitsMax)
            return fail_call(x, Error(Code::out_of_resources, "too many runs wait for phones"));
        HoldWait::Wanted wanted;
        for (const auto target : chosen.targets) wanted.ids.push_back(chosen.fleet->instances().at(target).id);
        wanted.count = request.count;
        wanted.wait = request.wait;
        wanted.job = report::printable(request.file.substr(0, utf8_floor(request.file, job::kNameBytesMax)),
                                       report::Layout::escape);
        open<HoldWait>(x, std::move(wanted))->start();
    });
}

// Out of service or back: also those that are so already, which patterns leave out elsewhere.
void Service::own_service(const ExchangePtr& x, bool disable) {
    x->audited = true;
    choose(x, Waits::always, [this, x, disable](const CallRequest& request, Chosen chosen) {
        chosen.targets.insert(chosen.targets.end(), chosen.disabled.begin(), chosen.disabled.end());
        std::sort(chosen.targets.begin(), chosen.targets.end());  // as the inventory has them
        const auto reason = fleet::clean_reason(request.reason);
        x->audit.command = disable ? "disable: " + reason : "enable";
        if (disable && reason.empty()) return fail_call(x, Error(Code::usage, "reason is missing or empty: say why"));
        if (!may_begin(x, chosen)) return;
        std::optional<fleet::Mark> mark;
        const bool local = x->caller.way == AuthWay::socket;
        if (disable) mark = {reason, local ? x->request.peer : x->caller.tenant->name, options_.now()};
        const auto& ids = x->audit.instances;
        const auto changed = options_.set_marks(ids, mark);
        if (!changed) return fail_call(x, changed.error());
        json::array phones;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            phones.push_back(json::object{{"instance_id", ids[i]}, {"changed", static_cast<bool>((*changed)[i])}});
        }
        json::object data;
        data["phones"] = std::move(phones);
        answer(x, ok_response(std::move(data)));
    });
}

void Service::own_call_stop(const ExchangePtr& x) {
    const auto& id = x->routed.params.at(0);
    for (const auto& call : open_calls()) {
        const bool mine = call->caller().tenant->name == x->caller.tenant->name || x->caller.way == AuthWay::socket;
        if (call->id() != id || !mine) continue;
        const auto why = said(x->request, "why");
        call->stop(Error(Code::interrupted, why.empty() ? "its client stopped it" : why));
        return answer(x, ok_response({}));
    }
    if (parts_.phones.holds().give_up(id, x->caller.tenant->name)) return answer(x, ok_response({}));
    fail_call(x, Error(Code::usage, fmt::format("no call {} is under way", id.substr(0, 64))));
}

}  // namespace drover::http
