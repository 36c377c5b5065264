#include "cli/herd.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/counted.hpp"
#include "cli/remote_herd.hpp"
#include "cli/status_board.hpp"
#include "cli/terminal.hpp"

namespace drover::cli {
namespace {

constexpr std::chrono::milliseconds kStopLook{200};

bool is_running(const PhoneStatus& status) {
    constexpr int kRunning = 2;
    return status.status == kRunning;
}

class OwnHerd final : public Herd {
public:
    explicit OwnHerd(std::unique_ptr<Fleet> fleet) : fleet_(std::move(fleet)) {}

    Result<Selection> select(std::string_view selector, std::chrono::milliseconds connect) override {
        return fleet_->select(selector, connect);
    }
    Result<Selection> choose(std::string_view selector, const Choice& choice,
                             const std::function<bool()>& stopped) override {
        auto selection = fleet_->select(selector);
        if (!selection || !selection->unknown_ids.empty() || choice.count == 0) return selection;
        if (auto enough = check_count(*selection, choice.count); !enough) return tl::unexpected(enough.error());
        StatusBoard board;
        const auto watch = fleet_->watch(selection->targets, board);
        const auto until = std::chrono::steady_clock::now() + choice.wait;
        Targets running;
        const auto enough = [&](const StatusBoard::States& states) {
            running.clear();
            for (const auto& [target, status] : states) {
                if (is_running(status)) running.push_back(target);
            }
            return running.size() >= choice.count;
        };
        while (true) {
            const auto slice = std::chrono::steady_clock::now() + kStopLook;
            if (board.wait(enough, std::min(until, slice)) == StatusBoard::Outcome::holds) break;
            if (stopped()) return fail(Code::interrupted, "told to stop");
            if (slice < until) continue;
            return fail(Code::not_granted,
                        fmt::format("{}; of {}, {} {} running in time", wanted_text(choice.count),
                                    selection->targets.size(), running.size(), running.size() == 1 ? "was" : "were"));
        }
        running.resize(choice.count);
        selection->targets = std::move(running);
        return selection;
    }
    Fleet* fleet() override { return fleet_.get(); }
    const std::string& id_of(std::size_t target) const override { return fleet_->instances().at(target).id; }
    Result<std::vector<PhoneInfo>> probe(const Targets& targets, std::chrono::milliseconds connect) override {
        return fleet_->probe(targets, connect);
    }
    std::unique_ptr<Call> exec(const Targets& targets, ExecOptions options, Held, RowSink& sink) override {
        return fleet_->exec(targets, std::move(options), sink);
    }
    Result<std::vector<std::vector<PhoneStatus>>> states(const Targets& targets, Look look) override {
        std::vector<std::vector<PhoneStatus>> all;
        for (const auto target : targets) {
            all.push_back(fleet_->history(target));
            if (look == Look::now) all.back().erase(all.back().begin(), all.back().end() - 1);
        }
        return all;
    }
    std::unique_ptr<Watch> watch(const Targets& targets, StatusSink& sink, std::function<void(const Error&)>) override {
        return fleet_->watch(targets, sink);
    }
    std::unique_ptr<Call> run(const Job& job, const std::string&, const Targets& targets, const RunOptions& options,
                              RowSink& sink) override {
        return drover::run(*fleet_, job, targets, options, sink);
    }

    bool on_discovery(std::function<void()> changed) override {
        if (!fleet_->discovers()) return false;
        fleet_->on_discovery(std::move(changed));
        return true;
    }
    Result<void> renew() override {
        auto next = fleet_->renew();
        if (!next) return tl::unexpected(next.error());
        fleet_ = std::move(*next);
        return {};
    }

private:
    std::unique_ptr<Fleet> fleet_;
};

}  // namespace

std::vector<std::string> Herd::ids_of(const Targets& targets) const {
    std::vector<std::string> ids;
    for (const auto target : targets) ids.push_back(id_of(target));
    return ids;
}

Result<std::unique_ptr<Herd>> open_herd(const Context& context, Opening opening) {
    auto server = choose_server(context);
    if (!server) return tl::unexpected(server.error());
    if (*server) return open_remote_herd(std::move(**server));
    auto fleet = open_fleet(context, std::move(opening));
    if (!fleet) return tl::unexpected(fleet.error());
    return std::make_unique<OwnHerd>(std::move(*fleet));
}

std::string wanted_text(std::size_t count) {
    return counted(count, "phone") + (count == 1 ? " is wanted" : " are wanted");
}

Result<void> check_count(const Selection& selection, std::size_t count) {
    const auto there = selection.targets.size();
    if (there >= count || there == 0) return {};
    return fail(Code::too_few, fmt::format("{}, {} match{}", wanted_text(count), there, there == 1 ? "es" : ""));
}

Error direct_only(std::string_view what) {
    return Error(Code::usage, fmt::format("{} does not go through a drover server; to reach the phones directly, give "
                                          "--inventory FILE",
                                          what));
}

Result<std::vector<std::size_t>> select_targets(Herd& herd, std::string_view selector, UnknownIds unknown) {
    return checked_targets(herd.select(selector), unknown);
}

Result<std::vector<std::size_t>> checked_targets(Result<Selection> selection, UnknownIds unknown) {
    if (!selection) return tl::unexpected(selection.error());
    if (!selection->unknown_ids.empty()) {
        auto told = fmt::format("no such phone: {}", fmt::join(selection->unknown_ids, ", "));
        if (unknown == UnknownIds::refused) return fail(Code::nothing_matched, std::move(told));
        say("drover: " + told);
    }
    if (const auto n = selection->disabled_left_out; n > 0) {
        say(fmt::format("drover: {} left out", counted(n, "disabled phone")));
    }
    return std::move(selection->targets);
}

}  // namespace drover::cli
