#include "http/service.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "base/log.hpp"
#include "http/exchange.hpp"
#include "http/uri.hpp"

namespace drover::http {
namespace {

constexpr std::size_t kRequestIdBytesMax = 128;

bool valid_request_id(std::string_view id) {
    return !id.empty() && id.size() <= kRequestIdBytesMax &&
           std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

Service::Service(ServiceParts parts, ServiceOptions options)
    : parts_(parts),
      options_(std::move(options)),
      authenticator_(std::make_shared<const Authenticator>(std::vector<Authenticator::Token>(),
                                                           std::vector<Authenticator::Key>())) {
    parts_.phones.holds().on_freed([this] { retry_holds(); });
    parts_.phones.holds().on_changed([this] { holds_changed(); });
}

Loop& Service::worker() { return workers_.at(next_worker_++ % workers_.size()); }

void Service::wait_for_phones(std::function<void()> work) {
    const auto least = std::min_element(waiting_.begin(), waiting_.end());
    ++*least;
    waiters_.at(static_cast<std::size_t>(least - waiting_.begin())).post([least, work = std::move(work)] {
        work();
        --*least;
    });
}

// A job file is larger than any documented body. Only those who may run one are listened to for so long; a signature can be
// judged only with the body.
std::size_t Service::body_bytes_max(const net::Request& head) {
    if (!head.target.starts_with("/drover/v1/")) return net::kBodyBytesMax;
    if (head.header("Authorization") && !head.header("X-Auth-Token")) return net::kBodyBytesMax;
    return authenticator()->judge(head, options_.now()) ? net::kBodyBytesLimit : net::kBodyBytesMax;
}

std::shared_ptr<const Authenticator> Service::authenticator() {
    const std::lock_guard lock(mutex_);
    return authenticator_;
}

void Service::set_authenticator(std::shared_ptr<const Authenticator> authenticator) {
    const std::lock_guard lock(mutex_);
    authenticator_ = std::move(authenticator);
}

void Service::handle(net::Request request, net::Reply reply) {
    auto x = std::make_shared<Exchange>(std::move(request), std::move(reply));
    const auto* id = x->request.header("X-Request-Id");
    x->own_request_id = !id || !valid_request_id(*id);
    x->request_id = x->own_request_id ? task::new_id() : *id;
    judge(x);
}

net::Response Service::refuse(int status) {
    parts_.metrics.count_request(Call::none, status);
    const auto id = task::new_id();
    if (status == 500) log::event(log::Level::error, "http: a request was not answered", {{"request_id", id}});
    auto response = status == 500   ? error_response(status, kInternal, "Internal service error.", id)
                    : status == 431 ? error_response(status, kBadRequest, "the header block is larger than 24 KiB", id)
                                    : error_response(status, kBadRequest, "this is no HTTP/1.1 request", id);
    response.headers.push_back({"X-Request-Id", id});
    response.close = true;
    return response;
}

void Service::judge(const ExchangePtr& x) {
    const auto target = split_target(x->request.target);
    const auto parts = target ? path_parts(target->path) : std::nullopt;
    if (parts) x->routed = route(x->request.method, *parts);
    if (!needs_no_auth(x->routed.call)) {
        // A body that is too large was not read, so its signature cannot be judged; the request is refused all the same.
        if (x->request.body_too_large && !x->request.header("X-Auth-Token") && x->request.header("Authorization")) {
            return fail_request(x, kBadRequest, "the body is larger than 64 KiB");
        }
        auto caller = authenticator()->judge(x->request, options_.now());
        if (!caller) return refuse_caller(x, caller.error());
        throttle_.succeeded(x->request.peer);
        x->caller = std::move(*caller);
    }
    if (x->routed.call == Call::none) {
        const bool wrong_method = !x->routed.allow.empty();
        const auto message =
            wrong_method ? fmt::format("this API takes {} only", x->routed.allow) : "the API does not exist";
        auto response = error_response(wrong_method ? 405 : 404, kNoSuchApi, message, x->request_id);
        if (wrong_method) response.headers.push_back({"Allow", x->routed.allow});
        return answer(x, std::move(response));
    }
    if (needs_request_id(x->routed.call) && x->own_request_id) {
        const bool given = x->request.header("X-Request-Id") != nullptr;
        if (given)
            return fail_request(x, kBadRequest, "the header x-request-id must have 1 to 128 printable characters");
        if (x->caller.way == AuthWay::token) return fail_request(x, kBadRequest, "the header x-request-id is missing");
    }
    if (x->request.body_too_large) return fail_request(x, kBadRequest, "the body is larger than 64 KiB");
    dispatch(x);
}

void Service::refuse_caller(const ExchangePtr& x, const std::string& why) {
    parts_.metrics.count_auth_failure();
    auto response = error_response(401, kBadAuth, "Incorrect IAM authentication information: " + why, x->request_id);
    const auto delay = throttle_.failed(x->request.peer, std::chrono::steady_clock::now());
    // Whoever guesses on does not fill the disk; the counter of failures goes on.
    x->audited = delay < Throttle::kMost;
    x->audit.outcome = "HTTP 401";
    if (delay == Millis(0) || !throttle_.hold()) return answer(x, std::move(response));
    auto& loop = worker();
    loop.post([this, x, &loop, delay, r = std::move(response)]() mutable {
        auto timer = std::make_shared<boost::asio::steady_timer>(loop.io(), delay);
        timer->async_wait([this, x, timer, r = std::move(r)](const boost::system::error_code&) mutable {
            throttle_.let_go();
            answer(x, std::move(r));
        });
    });
}

void Service::dispatch(const ExchangePtr& x) {
    switch (x->routed.call) {
        case Call::sync_command: return sync_command(x);
        case Call::async_command: return async_command(x);
        case Call::task_query: return task_query(x);
        case Call::batch_status: return batch_status(x);
        case Call::own_tasks: return own_tasks(x);
        case Call::own_task: return own_task(x);
        case Call::own_task_cancel: return own_task_cancel(x);
        case Call::own_devices: return own_devices(x);
        case Call::source_command: return source_command(x);
        case Call::source_result: return source_result(x);
        case Call::source_enqueue: return source_enqueue(x);
        case Call::source_commands: return source_commands(x);
        case Call::own_sources: return own_sources(x);
        case Call::own_source_add: return own_source_add(x);
        case Call::own_select: return own_select(x);
        case Call::own_probe: return own_probe(x);
        case Call::own_status: return own_status(x);
        case Call::own_watch: return own_watch(x);
        case Call::own_changes: return own_changes(x);
        case Call::own_exec: return own_exec(x);
        case Call::own_run: return own_run(x);
        case Call::own_hold: return own_hold(x);
        case Call::own_disable: return own_service(x, true);
        case Call::own_enable: return own_service(x, false);
        case Call::own_call_stop: return own_call_stop(x);
        case Call::metrics: return metrics_text(x);
        case Call::health:
        case Call::ready: {
            const bool good = x->routed.call == Call::health || ready_;
            net::Response response;
            response.status = good ? 200 : 503;
            response.headers.push_back({"Content-Type", "text/plain"});
            response.body = good ? "ok\n" : "stopping\n";
            return answer(x, std::move(response));
        }
        case Call::none: break;
    }
    fail_internally(x, Error(Code::internal, "no such call"));
}

void Service::answer(const ExchangePtr& x, net::Response response) {
    response.headers.push_back({"X-Request-Id", x->request_id});
    parts_.metrics.count_request(x->routed.call, response.status);
    const auto took = std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - x->begin);
    if (log::enabled(log::Level::info)) {
        log::event(log::Level::info, "http: answered",
                   {{"status", std::to_string(response.status)},
                    {"method", x->request.method},
                    {"call", std::string(to_string(x->routed.call))},
                    {"peer", x->request.peer},
                    {"tenant", x->caller.tenant ? x->caller.tenant->name : ""},
                    {"ms", std::to_string(took.count())},
                    {"request_id", x->request_id}});
    }
    if (!response.stream) note_audit(*x);
    x->reply.send(std::move(response));
}

void Service::note_audit(Exchange& x) {
    if (!std::exchange(x.audited, false)) return;
    if (x.audit.outcome.empty()) x.audit.outcome = "ok";
    x.audit.request_id = x.request_id;
    x.audit.tenant = x.caller.tenant ? x.caller.tenant->name : "";
    x.audit.peer = x.request.peer;
    x.audit.call = to_string(x.routed.call);
    parts_.audit.write(std::move(x.audit));
}

// Drover's own calls carry the exact code.
void Service::fail_call(const ExchangePtr& x, const Error& why) {
    const auto& code = info(why.code);
    x->audit.outcome = code.name;
    answer(x, error_response(why.cls() == ErrorClass::user ? 400 : 500, code.name, why.message, x->request_id));
}

void Service::fail_request(const ExchangePtr& x, std::string_view code, std::string_view message) {
    x->audit.outcome = code;
    answer(x, error_response(400, code, message, x->request_id));
}

void Service::fail_internally(const ExchangePtr& x, const Error& why) {
    // The reason is for the operator; a client learns only the documented code.
    log::event(log::Level::error, "http: " + why.message, {{"request_id", x->request_id}});
    x->audit.outcome = kInternal;
    answer(x, error_response(500, kInternal, "Internal service error.", x->request_id));
}

// Ids that are not in the fleet, or not this caller's: both get the same answer, which tells nobody what others have.
bool Service::refuse_strangers(const ExchangePtr& x, const std::vector<std::string>& ids) {
    std::vector<std::string> strangers;
    for (const auto& id : ids) {
        if (!parts_.phones.knows(id) || !x->caller.tenant->may_use(id)) strangers.push_back(id);
    }
    if (strangers.empty()) return false;
    fail_request(x, kNoPermission, fmt::format("Insufficient instance permissions: {}", fmt::join(strangers, ", ")));
    return true;
}

}  // namespace drover::http
