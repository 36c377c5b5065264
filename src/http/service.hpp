// The HTTP API over phones and tasks: judges a request in the documented order (parse, credentials, route, x-request-id, body)
// and answers it.
//
// Threads: handle() from any loop, it never blocks; set_authenticator() from any. Ownership: phones, runner, store, metrics and
// audit log outlive it; it outlives the server that calls it, and waits in its destructor for calls under way. Failure: every
// request gets one documented answer; nothing has run when that is an error of class 4xx.
#pragma once
#include <array>
#include <atomic>
#include <boost/json/object.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/duration.hpp"
#include "base/loop_pool.hpp"
#include "fleet/marks.hpp"
#include "http/answer.hpp"
#include "http/audit.hpp"
#include "http/auth.hpp"
#include "http/call_request.hpp"
#include "http/metrics.hpp"
#include "http/router.hpp"
#include "http/throttle.hpp"
#include "net/reply.hpp"
#include "store/source_store.hpp"
#include "store/task_store.hpp"
#include "task/phones.hpp"
#include "task/task_runner.hpp"

namespace drover::http {

struct ServiceOptions {
    Millis sync_timeout{5'000};     // a phone
    Millis sync_deadline{30'000};   // a call
    Millis async_timeout{600'000};  // a job
    StatusAxis status_axis = StatusAxis::lifecycle;
    std::function<std::chrono::system_clock::time_point()> now = [] { return std::chrono::system_clock::now(); };
    std::function<std::vector<Metrics::Gauge>()> more_gauges = {};  // of whoever runs the server
    // Takes phones out of service or back, for good; they are so when it returns. As fleet::set_marks(). On a waiter.
    std::function<Result<std::vector<bool>>(const std::vector<std::string>& ids,
                                            const std::optional<fleet::Mark>& mark)>
        set_marks = {};
};

struct ServiceParts {
    task::Phones& phones;
    task::TaskRunner& runner;
    store::TaskStore& store;
    store::SourceStore& sources;
    Metrics& metrics;
    AuditLog& audit;
};

class Service {
public:
    Service(ServiceParts parts, ServiceOptions options);
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    void set_authenticator(std::shared_ptr<const Authenticator> authenticator);
    void handle(net::Request request, net::Reply reply);
    // The answer to what was no request at all.
    net::Response refuse(int status);

    void set_ready(bool ready) { ready_ = ready; }
    // What a request may have in its body; for the server, before the body is read.
    std::size_t body_bytes_max(const net::Request& head);
    // The server ends: the calls under way are stopped, and their rows say so.
    void stop_calls();
    // There are others than before, or they are grouped otherwise. After the authenticator that knows them is set.
    void phones_changed();
    // Streams of states have no end of their own.
    void end_watches();

private:
    struct Exchange;  // one request and what is known of it so far
    using ExchangePtr = std::shared_ptr<Exchange>;
    class OpenCall;
    class SyncCall;
    class RowStream;
    class WatchStream;
    class ChangeStream;
    class HoldWait;

    std::shared_ptr<const Authenticator> authenticator();
    void judge(const ExchangePtr& x);
    void refuse_caller(const ExchangePtr& x, const std::string& why);
    void dispatch(const ExchangePtr& x);
    void answer(const ExchangePtr& x, net::Response response);
    void fail_request(const ExchangePtr& x, std::string_view code, std::string_view message);
    void fail_internally(const ExchangePtr& x, const Error& why);
    void fail_call(const ExchangePtr& x, const Error& why);
    void note_audit(Exchange& x);
    bool refuse_strangers(const ExchangePtr& x, const std::vector<std::string>& ids);

    void sync_command(const ExchangePtr& x);
    void async_command(const ExchangePtr& x);
    void task_query(const ExchangePtr& x);
    void batch_status(const ExchangePtr& x);
    void own_tasks(const ExchangePtr& x);
    void own_task(const ExchangePtr& x);
    void own_task_cancel(const ExchangePtr& x);
    void own_devices(const ExchangePtr& x);
    void source_command(const ExchangePtr& x);
    void source_result(const ExchangePtr& x);
    void source_enqueue(const ExchangePtr& x);
    void source_commands(const ExchangePtr& x);
    void own_sources(const ExchangePtr& x);
    void own_source_add(const ExchangePtr& x);
    void metrics_text(const ExchangePtr& x);

    // Calls on phones that a selector or a list of ids names. On a waiter where the selector has to ask phones, or the call may wait
    // for them itself; else on a worker, so that nobody waits for somebody else's phones.
    struct Chosen;
    enum class Waits : std::uint8_t { for_selector, always };
    using UseChosen = std::function<void(const CallRequest&, Chosen)>;
    void choose(const ExchangePtr& x, Waits waits, UseChosen use);
    void use_phones(const ExchangePtr& x, CallRequest request, const UseChosen& use);
    using Starter = std::function<std::unique_ptr<drover::Call>(Fleet&, const std::vector<std::size_t>& targets,
                                                                OutputSink*, RowSink&)>;
    bool may_begin(const ExchangePtr& x, const Chosen& chosen);
    std::string held_text(const std::string& id);
    void fail_no_match(const ExchangePtr& x, const Chosen& chosen);
    void own_select(const ExchangePtr& x);
    void own_probe(const ExchangePtr& x);
    void own_status(const ExchangePtr& x);
    void own_watch(const ExchangePtr& x);
    void own_changes(const ExchangePtr& x);
    void own_exec(const ExchangePtr& x);
    void own_run(const ExchangePtr& x);
    void own_hold(const ExchangePtr& x);
    void own_service(const ExchangePtr& x, bool disable);
    std::vector<std::shared_ptr<HoldWait>> hold_waits();
    void retry_holds();
    void holds_changed();
    void own_call_stop(const ExchangePtr& x);
    // Makes a call that this knows from now on: not from its constructor, when nobody owns it yet.
    template <class C, class... Arguments>
    std::shared_ptr<C> open(Arguments&&... arguments) {
        auto call = std::make_shared<C>(*this, std::forward<Arguments>(arguments)...);
        know(*call);
        return call;
    }
    void know(OpenCall& call);
    std::vector<std::shared_ptr<OpenCall>> open_calls();

    // Finds the task named in the path for this caller, on a worker; an unknown one is answered.
    void with_task(const ExchangePtr& x, std::function<void(store::TaskRecord)> use);
    // Goes on, on a worker, when the path names a source of this caller; else the answer is 404.
    void with_source(const ExchangePtr& x, std::function<void()> use);
    // Held by what waits for the store: the destructor waits until all are let go.
    std::shared_ptr<void> hold();
    Loop& worker();
    // Whichever waiter has least to do.
    void wait_for_phones(std::function<void()> work);

    ServiceParts parts_;
    const ServiceOptions options_;
    Throttle throttle_;
    std::atomic<bool> ready_ = true;
    std::atomic<bool> tells_holds_ = false;  // soon, for all changes so far
    std::atomic<std::size_t> next_worker_ = 0;
    std::mutex mutex_;
    std::shared_ptr<const Authenticator> authenticator_;
    std::unordered_set<OpenCall*> calls_;
    std::size_t holds_ = 0;
    std::condition_variable calls_changed_;
    // Last, so that they stop first.
    LoopPool workers_{2};  // what may wait for the disk or for a call's end, never for phones
    static constexpr std::size_t kWaiters = 8;
    std::array<std::atomic<std::size_t>, kWaiters> waiting_{};  // of each waiter, how much it has to do
    LoopPool waiters_{kWaiters};                                // what may wait for phones
};

}  // namespace drover::http
