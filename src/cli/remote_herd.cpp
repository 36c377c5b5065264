#include "cli/remote_herd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/json/array.hpp>
#include <unordered_map>

#include "cli/remote_call.hpp"
#include "cli/remote_changes.hpp"
#include "cli/server_client.hpp"
#include "cli/server_data.hpp"
#include "cli/terminal.hpp"
#include "http/call_request.hpp"
#include "http/wire.hpp"
#include "job/model.hpp"

namespace drover::cli {
namespace {

namespace json = boost::json;
using Millis = std::chrono::milliseconds;

constexpr Millis kSelectPatience{15'000};  // a selector may have to ask phones for their state, which takes up to 5 s
constexpr Millis kHoldLook{1'000};         // one question for phones; between two of them a signal is seen
constexpr Millis kMargin{10'000};          // on top of what phones are given

std::string id_text(const json::value& value) {
    return value.is_string() ? std::string(value.get_string().data(), value.get_string().size()) : std::string();
}

Error senseless() { return Error(Code::server_unreachable, "the server's answer makes no sense"); }

class RemoteWatch final : public Watch {
public:
    using Index = std::function<std::optional<std::size_t>(const std::string&)>;
    RemoteWatch(const ServerChoice& server, std::string body, Index index, StatusSink& sink,
                std::function<void(const Error&)> on_lost)
        : index_(std::move(index)),
          sink_(sink),
          stream_(
              server, "/drover/v1/watch", std::move(body),
              [this](std::string_view name, const json::object& data) {
                  if (name == "status") on_status(data);
              },
              [this, lost = std::move(on_lost)](const std::optional<Error>& why) {
                  if (!closing_) lost(why.value_or(Error(Code::server_unreachable, "the drover server was stopped")));
              }) {}
    ~RemoteWatch() override { closing_ = true; }

private:
    void on_status(const json::object& data) {
        auto status = http::read_status(data);
        const auto* id = data.if_contains("instance_id");
        const auto target = id ? index_(id_text(*id)) : std::nullopt;
        if (!status || !target) return;
        status->instance = *target;
        sink_.on_status(std::move(*status));
    }

    const Index index_;
    StatusSink& sink_;
    std::atomic<bool> closing_ = false;  // the end of the stream is our own
    RemoteStream stream_;                // last: its thread uses the others
};

class RemoteHerd final : public Herd {
public:
    explicit RemoteHerd(ServerChoice server) : client_(std::move(server)) {}
    // Phones that no run was made for are somebody else's at once.
    ~RemoteHerd() override {
        if (!hold_.empty()) (void)patient().post("/drover/v1/calls/" + hold_ + "/stop");
    }

    Result<Selection> select(std::string_view selector, Millis connect) override {
        http::CallRequest request;
        request.limits.connect = connect;
        request.on = std::string(selector);
        const auto data = client_.post("/drover/v1/select", to_json(request), kSelectPatience);
        if (!data) return tl::unexpected(data.error());
        Selection selection;
        for (const auto& id : list_in(*data, "instance_ids")) selection.targets.push_back(know(id_text(id)));
        for (const auto& id : list_in(*data, "unknown_ids")) selection.unknown_ids.push_back(id_text(id));
        const auto* left_out = data->if_contains("disabled_left_out");
        if (left_out && left_out->is_int64())
            selection.disabled_left_out = static_cast<std::size_t>(left_out->get_int64());
        return selection;
    }

    Result<Selection> choose(std::string_view selector, const Choice& choice,
                             const std::function<bool()>& stopped) override {
        auto selection = select(selector, Limits{}.connect);
        if (!selection || !selection->unknown_ids.empty() || selection->targets.empty()) return selection;
        if (auto enough = check_count(*selection, choice.count); !enough) return tl::unexpected(enough.error());
        auto request = request_for(selection->targets);
        request.count = choice.count;
        request.file = choice.job;
        const auto until = std::chrono::steady_clock::now() + choice.wait;
        bool told = false;
        while (true) {
            const auto data = patient().post("/drover/v1/hold", to_json(request), request.wait + kMargin);
            if (data) return take_hold(*data, std::move(*selection));
            const auto left = std::chrono::duration_cast<Millis>(until - std::chrono::steady_clock::now());
            if (stopped()) return fail(Code::interrupted, "told to stop");
            if (data.error().code != Code::not_granted || left <= Millis(0)) return tl::unexpected(data.error());
            if (!std::exchange(told, true))
                say(fmt::format("drover: waiting up to {}: {}", to_string(choice.wait), data.error().message));
            request.wait = std::min(left, kHoldLook);
        }
    }

    Fleet* fleet() override { return nullptr; }
    void set_patience(const Patience& patience) override {
        client_.set_patience(patience);
        abandon_ = patience.abandon;
    }
    const std::string& id_of(std::size_t target) const override { return ids_.at(target); }

    Result<std::vector<PhoneInfo>> probe(const Targets& targets, Millis connect) override {
        auto request = request_for(targets);
        request.limits.connect = connect;
        const auto data = client_.post("/drover/v1/probe", to_json(request), connect + kMargin);
        if (!data) return tl::unexpected(data.error());
        std::vector<PhoneInfo> phones;
        for (const auto& value : list_in(*data, "devices")) {
            if (!value.is_object()) return tl::unexpected(senseless());
            auto phone = http::read_phone(value.get_object());
            if (!phone) return tl::unexpected(phone.error());
            phones.push_back(std::move(*phone));
        }
        if (phones.size() != targets.size()) return tl::unexpected(senseless());
        return phones;
    }

    std::unique_ptr<Call> exec(const Targets& targets, ExecOptions options, Held held, RowSink& sink) override {
        auto request = request_for(targets);
        request.shared = held == Held::shared;
        request.command = std::move(options.command.text);
        request.limits = options.command.limits;
        request.timeout = options.command.limits.total;
        request.max_parallel = options.max_parallel;
        request.deadline = options.deadline;
        return start("/drover/v1/exec", std::move(request), targets, options.output, sink);
    }

    std::unique_ptr<Call> run(const Job& job, const std::string& text, const Targets& targets,
                              const RunOptions& options, RowSink& sink) override {
        auto request = request_for(targets);
        request.job = text;
        request.file = job.model().file;
        request.client_notifies = !job.model().notify.empty();
        request.hold = std::exchange(hold_, {});
        request.limits = options.limits;
        request.timeout = options.timeout;
        request.max_parallel = options.max_parallel;
        request.deadline = options.deadline;
        return start("/drover/v1/run", std::move(request), targets, options.output, sink);
    }

    Result<std::vector<std::vector<PhoneStatus>>> states(const Targets& targets, Look look) override {
        if (targets.empty()) return {};  // the server wants at least one
        auto request = request_for(targets);
        request.history = look == Look::history;
        const auto data = client_.post("/drover/v1/status", to_json(request), kSelectPatience);
        if (!data) return tl::unexpected(data.error());
        std::vector<std::vector<PhoneStatus>> all;
        for (const auto& phone : list_in(*data, "phones")) {
            auto& states = all.emplace_back();
            if (!phone.is_object() || all.size() > targets.size()) return tl::unexpected(senseless());
            for (const auto& value : list_in(phone.get_object(), "states")) {
                auto status = value.is_object() ? http::read_status(value.get_object()) : tl::unexpected(senseless());
                if (!status) return tl::unexpected(status.error());
                status->instance = targets[all.size() - 1];
                states.push_back(std::move(*status));
            }
            if (states.empty()) return tl::unexpected(senseless());
        }
        if (all.size() != targets.size()) return tl::unexpected(senseless());
        return all;
    }

    std::unique_ptr<Watch> watch(const Targets& targets, StatusSink& sink,
                                 std::function<void(const Error&)> on_lost) override {
        // A copy: the watch's thread looks there while this one may get to know more phones.
        const auto index = [known = index_](const std::string& id) -> std::optional<std::size_t> {
            const auto it = known.find(id);
            return it == known.end() ? std::nullopt : std::optional(it->second);
        };
        // No phone yet: changes tell when there is one, or that the server has gone.
        if (targets.empty() && changes_) return std::make_unique<Watch>();
        auto lost = [told = std::move(on_lost), changed = changes_ ? changed_ : nullptr](const Error& why) {
            // One has gone since it was selected.
            return changed && why.code == Code::nothing_matched ? changed() : told(why);
        };
        return std::make_unique<RemoteWatch>(client_.server(), to_json(request_for(targets)), index, sink,
                                             std::move(lost));
    }

    bool on_discovery(std::function<void()> changed) override {
        changed_ = std::move(changed);
        changes_ = std::make_unique<RemoteChanges>(client_.server(), changed_);
        const auto may_come = changes_->may_come(client_.time_for(RemoteChanges::kFirstWordMax), abandon_);
        if (!may_come) changes_.reset();
        return may_come.value_or(false);
    }
    Result<void> renew() override {
        const auto why = changes_ ? changes_->why() : std::nullopt;
        if (why) return tl::unexpected(*why);
        return {};
    }

private:
    // Not left before it has said what it did: its answer names phones that are kept for this process.
    ServerClient patient() const { return ServerClient(client_.server()); }
    std::size_t know(std::string id) {
        const auto [it, fresh] = index_.emplace(id, ids_.size());
        if (fresh) ids_.push_back(std::move(id));
        return it->second;
    }
    Result<Selection> take_hold(const json::object& data, Selection selection) {
        const auto* hold = data.if_contains("hold");
        hold_ = hold ? id_text(*hold) : std::string();
        selection.targets.clear();
        for (const auto& id : list_in(data, "instance_ids")) selection.targets.push_back(know(id_text(id)));
        if (hold_.empty() || selection.targets.empty()) return tl::unexpected(senseless());
        return selection;
    }
    std::unique_ptr<Call> start(std::string target, http::CallRequest request, const Targets& targets,
                                OutputSink* output, RowSink& sink) const {
        request.output = output != nullptr;
        return std::make_unique<RemoteCall>(client_.server(), std::move(target), request, ids_of(targets), output,
                                            sink);
    }
    http::CallRequest request_for(const Targets& targets) const {
        http::CallRequest request;
        request.instance_ids = ids_of(targets);
        return request;
    }

    ServerClient client_;
    const std::atomic<bool>* abandon_ = nullptr;
    std::string hold_;              // of the phones that choose() gave, until a run takes it up
    std::vector<std::string> ids_;  // by target
    std::unordered_map<std::string, std::size_t> index_;
    std::function<void()> changed_;
    std::unique_ptr<RemoteChanges> changes_;
};

}  // namespace

std::unique_ptr<Herd> open_remote_herd(ServerChoice server) { return std::make_unique<RemoteHerd>(std::move(server)); }

}  // namespace drover::cli
