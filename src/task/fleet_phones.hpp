// Phones of a real Fleet, all of them under watch, with an inventory that can be read again while commands run.
// Threads, failure: as Phones; reload() from one thread. Ownership: a fleet that was replaced lives until its last call ends.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "fleet/recovery.hpp"
#include "task/phones.hpp"

namespace drover::task {

class FleetPhones final : public Phones {
public:
    static Result<std::unique_ptr<FleetPhones>> open(const FleetOptions& options);
    ~FleetPhones() override;

    // Reads inventory, disable marks and discovery again. Phones that are as they were keep their links and what runs on them.
    // False: instances and groups are the same. An inventory that is wrong is an error, and the old one stays.
    Result<bool> reload();

    // What recovery has tried so far, over all phones. Lives as long as any of its fleets.
    const fleet::RecoveryCounts& recovery_counts() const;
    // See Fleet::on_discovery(); goes on with what `discover` says after a reload().
    void on_discovery(std::function<void()> changed);

    bool knows(const std::string& id) const override;
    std::vector<std::string> ids() const override;
    Result<std::vector<std::string>> select(std::string_view selector) const override;
    std::optional<PhoneStatus> status(const std::string& id) const override;
    std::uint64_t reconnects() const override { return *reconnects_; }
    std::shared_ptr<Fleet> fleet() const override;
    fleet::Holds& holds() override { return holds_; }
    std::unique_ptr<Call> exec(const std::vector<std::string>& ids, ExecOptions options, RowSink& sink) override;

private:
    struct Generation;  // one fleet, its index by id, its watch
    using Count = std::shared_ptr<std::atomic<std::uint64_t>>;
    FleetPhones(std::shared_ptr<Generation> first, Count reconnects);
    std::shared_ptr<Generation> now() const;

    fleet::Holds holds_;  // by id: whatever becomes of the generations
    mutable std::mutex mutex_;
    std::shared_ptr<Generation> now_;
    const Count reconnects_;
    std::mutex discovery_mutex_;
    std::function<void()> discovered_;  // see on_discovery()
};

}  // namespace drover::task
