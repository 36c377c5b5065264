#include "transfer/bugreport.hpp"

#include <fmt/format.h>

#include "transfer/shell_task.hpp"

namespace drover::transfer {
namespace {

// bugreportz says "OK:/data/…/bugreport.zip" or "FAIL:why".
class ReportTask final : public StreamTask {
public:
    // path: where the report is, for the script.
    ReportTask(std::unique_ptr<StreamTask> shell, std::shared_ptr<std::string> path)
        : shell_(std::move(shell)), path_(std::move(path)) {}
    Result<void> feed(ByteView bytes) override { return shell_->feed(bytes); }
    Result<void> produce(std::size_t room, Bytes& out) override { return shell_->produce(room, out); }
    bool done() const override { return shell_->done(); }
    Result<void> on_closed() override { return shell_->on_closed(); }
    Result<std::string> finish() override {
        auto text = shell_->finish();
        if (!text) return text;
        while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
        const auto last = text->substr(text->rfind('\n') + 1);
        constexpr std::string_view kOk = "OK:";
        if (!last.starts_with(kOk)) return fail(Code::command_failed, last.empty() ? "bugreportz said nothing" : last);
        *path_ = last.substr(kOk.size());
        return std::string();
    }

private:
    const std::unique_ptr<StreamTask> shell_;
    const std::shared_ptr<std::string> path_;
};

class BugreportScript final : public Script {
public:
    explicit BugreportScript(std::filesystem::path place) : place_(std::move(place)) {}

    Result<std::optional<Leg>> next(const adb::Peer& peer) override {
        switch (step_++) {
            case 0: {
                auto leg = ShellTask::leg(peer, "bugreportz");
                if (!leg) return tl::unexpected(leg.error());
                leg->task = std::make_unique<ReportTask>(std::move(leg->task), path_);
                return std::optional(std::move(*leg));
            }
            case 1: {
                if (auto known = pull_names({*path_}); !known) return fail(Code::command_failed, known.error().message);
                const auto directory = place_.parent_path();
                auto tree = make_pull_tree(directory.parent_path(), directory.filename().string());
                return Leg{"sync:", std::make_unique<PullTask>(PullOptions{{*path_}, Compress::none},
                                                               std::vector{place_.filename().string()},
                                                               adb::SyncFeatures::of(peer.features), std::move(tree))};
            }
            default: return std::nullopt;
        }
    }

private:
    const std::filesystem::path place_;
    std::size_t step_ = 0;
    const std::shared_ptr<std::string> path_ = std::make_shared<std::string>();
};

}  // namespace

dispatch::OperationFactory make_bugreport(WorkPool& pool, PlaceOf place, TransferLimits limits) {
    return
        [&pool, place = std::move(place), limits](fleet::Phone& phone, dispatch::OperationOwner& owner, std::size_t) {
            return std::make_unique<StreamOperation>(
                phone, owner, pool, std::make_unique<BugreportScript>(place(phone.instance())), limits);
        };
}

}  // namespace drover::transfer
