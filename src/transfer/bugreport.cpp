#include "transfer/bugreport.hpp"

#include <fmt/format.h>

#include "transfer/shell_task.hpp"

namespace drover::transfer {
namespace {

// bugreportz says "OK:/data/…/bugreport.zip" or "FAIL:why". path: where the report is.
Result<std::string> read_place(Result<std::string> text, std::string& path) {
    if (!text) return text;
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    const auto last = text->substr(text->rfind('\n') + 1);
    constexpr std::string_view kOk = "OK:";
    if (!last.starts_with(kOk)) return fail(Code::command_failed, last.empty() ? "bugreportz said nothing" : last);
    path = last.substr(kOk.size());
    return std::string();
}

class BugreportScript final : public Script {
public:
    explicit BugreportScript(std::filesystem::path place) : place_(std::move(place)) {}

    Result<std::optional<Leg>> next(const adb::Peer& peer) override {
        switch (step_++) {
            case 0: {
                auto leg = ShellTask::leg(peer, "bugreportz",
                                          [path = path_](auto text) { return read_place(std::move(text), *path); });
                if (!leg) return tl::unexpected(leg.error());
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
