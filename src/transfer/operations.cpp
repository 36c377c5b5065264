#include "transfer/operations.hpp"

#include <fmt/format.h>

#include "base/shell_quote.hpp"
#include "transfer/capture_task.hpp"
#include "transfer/shell_task.hpp"

namespace drover::transfer {
namespace {

class PushScript final : public Script {
public:
    PushScript(std::shared_ptr<const PushPlan> plan, PushOptions options)
        : plan_(std::move(plan)), options_(std::move(options)) {}

    Result<std::optional<Leg>> next(const adb::Peer& peer) override {
        if (!std::exchange(pushed_, true)) {
            auto task = std::make_unique<PushTask>(plan_, options_, adb::SyncFeatures::of(peer.features), local_files(),
                                                   empty_);
            return Leg{"sync:", std::move(task)};
        }
        if (made_ == empty_->size()) return std::nullopt;
        return make_directories(peer);
    }
    std::optional<Shown> shown() const override {
        using fleet::Activity;
        return Shown{Activity::restoring, Activity::data_loaded, Activity::restore_failed, "push"};
    }

private:
    // As many as one command holds on this phone.
    Result<std::optional<Leg>> make_directories(const adb::Peer& peer) {
        const std::size_t room = peer.max_payload / 2;
        std::string command = "mkdir -p";
        do {
            command += " " + shell_quote((*empty_)[made_++]);
        } while (made_ < empty_->size() && command.size() + 2 * (*empty_)[made_].size() < room);
        auto leg = ShellTask::leg(peer, command);
        if (!leg) return tl::unexpected(leg.error());
        return std::optional(std::move(*leg));
    }

    const std::shared_ptr<const PushPlan> plan_;
    const PushOptions options_;
    const std::shared_ptr<EmptyDirectories> empty_ = std::make_shared<EmptyDirectories>();
    bool pushed_ = false;
    std::size_t made_ = 0;
};

class PullScript final : public Script {
public:
    PullScript(PullOptions options, std::vector<std::string> names, std::unique_ptr<PullTree> tree)
        : options_(std::move(options)), names_(std::move(names)), tree_(std::move(tree)) {}

    Result<std::optional<Leg>> next(const adb::Peer& peer) override {
        if (!tree_) return std::nullopt;
        auto task =
            std::make_unique<PullTask>(options_, names_, adb::SyncFeatures::of(peer.features), std::move(tree_));
        return Leg{"sync:", std::move(task)};
    }
    std::optional<Shown> shown() const override {
        return Shown{fleet::Activity::backing_up, fleet::Activity::idle, fleet::Activity::backup_failed, "pull"};
    }

private:
    const PullOptions options_;
    const std::vector<std::string> names_;
    std::unique_ptr<PullTree> tree_;
};

// A program whose output goes into one file.
class CaptureScript final : public Script {
public:
    CaptureScript(std::string program, CaptureTask::What what, std::filesystem::path place)
        : program_(std::move(program)), what_(what), place_(std::move(place)) {}

    Result<std::optional<Leg>> next(const adb::Peer& peer) override {
        if (std::exchange(opened_, true)) return std::nullopt;
        // A phone from before Android 5 has no exec: and would put carriage returns into a picture.
        const bool exec = peer.features.shell_v2() || peer.features.has("cmd") || peer.max_payload > kOldPayload;
        if (!exec && what_ == CaptureTask::What::png)
            return fail(Code::not_supported, "this phone is too old to send a picture");
        return Leg{(exec ? "exec:" : "shell:") + program_, std::make_unique<CaptureTask>(what_, place_)};
    }
    std::optional<Shown> shown() const override {
        if (what_ == CaptureTask::What::png) return std::nullopt;
        return Shown{fleet::Activity::streaming, fleet::Activity::idle, fleet::Activity::idle, "logcat"};
    }

private:
    static constexpr std::uint32_t kOldPayload = 4096;
    const std::string program_;
    const CaptureTask::What what_;
    const std::filesystem::path place_;
    bool opened_ = false;
};

dispatch::OperationFactory make_capture(WorkPool& pool, std::string program, CaptureTask::What what, PlaceOf place,
                                        TransferLimits limits) {
    return [&pool, program = std::move(program), what, place = std::move(place), limits](
               fleet::Phone& phone, dispatch::OperationOwner& owner, std::size_t) {
        auto script = std::make_unique<CaptureScript>(program, what, place(phone.instance()));
        return std::make_unique<StreamOperation>(phone, owner, pool, std::move(script), limits);
    };
}

std::string logcat_program(const std::string& words) { return words.empty() ? "logcat" : "logcat " + words; }

}  // namespace

dispatch::OperationFactory make_screenshot(WorkPool& pool, PlaceOf place, TransferLimits limits) {
    return make_capture(pool, "screencap -p", CaptureTask::What::png, std::move(place), std::move(limits));
}

dispatch::OperationFactory make_logcat(WorkPool& pool, std::string words, PlaceOf place, TransferLimits limits) {
    return make_capture(pool, logcat_program(words), CaptureTask::What::log, std::move(place), std::move(limits));
}

dispatch::OperationFactory make_growing_logcat(WorkPool& pool, std::string words, PlaceOf place,
                                               TransferLimits limits) {
    return make_capture(pool, logcat_program(words), CaptureTask::What::growing_log, std::move(place),
                        std::move(limits));
}

dispatch::OperationFactory make_push(WorkPool& pool, std::shared_ptr<const PushPlan> plan, PushOptions options,
                                     TransferLimits limits) {
    return [&pool, plan = std::move(plan), options = std::move(options), limits](
               fleet::Phone& phone, dispatch::OperationOwner& owner, std::size_t) {
        return std::make_unique<StreamOperation>(phone, owner, pool, std::make_unique<PushScript>(plan, options),
                                                 limits);
    };
}

dispatch::OperationFactory make_pull(WorkPool& pool, PullOptions options, std::vector<std::string> names, PlaceOf place,
                                     TransferLimits limits) {
    return [&pool, options = std::move(options), names = std::move(names), place = std::move(place), limits](
               fleet::Phone& phone, dispatch::OperationOwner& owner, std::size_t) {
        const auto at = place(phone.instance());
        auto tree = make_pull_tree(at.parent_path(), at.filename().string());
        return std::make_unique<StreamOperation>(phone, owner, pool,
                                                 std::make_unique<PullScript>(options, names, std::move(tree)), limits);
    };
}

}  // namespace drover::transfer
