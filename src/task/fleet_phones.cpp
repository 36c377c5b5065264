#include "task/fleet_phones.hpp"

#include <numeric>

#include "base/log.hpp"
#include "dispatch/fleet_impl.hpp"

namespace drover::task {

struct FleetPhones::Generation final : StatusSink {
    Generation(std::unique_ptr<Fleet> f, Count count, const Generation* before)
        : fleet(std::move(f)), reconnects(std::move(count)), statuses(fleet->instances().size()) {
        const auto& instances = fleet->instances();
        for (std::size_t i = 0; i < instances.size(); ++i) {
            by_id.emplace(instances[i].id, i);
            statuses[i].instance = i;
            auto was = before ? before->up_of(instances[i].id, *fleet->impl().phones[i]) : nullptr;
            up.push_back(was ? std::move(was) : std::make_shared<Up>(Up::never));
        }
        std::vector<std::size_t> watched(instances.size());
        std::iota(watched.begin(), watched.end(), std::size_t{0});
        watch = fleet->watch(watched, *this);
    }
    ~Generation() { watch.reset(); }

    void on_status(PhoneStatus status) override {
        const std::lock_guard lock(mutex);
        Up& was = *up.at(status.instance);
        const bool is = is_linked(status);
        if (is && was == Up::lost) ++*reconnects;
        was = is ? Up::yes : was == Up::never ? Up::never : Up::lost;
        statuses.at(status.instance) = std::move(status);
    }
    static bool is_linked(const PhoneStatus& status) {
        return status.condition == "running" || status.condition == "booting" || status.condition == "recovery";
    }

    enum class Up : std::uint8_t { never, yes, lost };
    // Null where the phone of that id is another one.
    std::shared_ptr<Up> up_of(const std::string& id, const fleet::Phone& phone) const {
        const auto it = by_id.find(id);
        if (it == by_id.end() || fleet->impl().phones[it->second].get() != &phone) return nullptr;
        return up[it->second];
    }

    std::unique_ptr<Fleet> fleet;
    const Count reconnects;
    std::unordered_map<std::string, std::size_t> by_id;
    std::mutex mutex;
    std::vector<PhoneStatus> statuses;
    std::vector<std::shared_ptr<Up>> up;  // of a phone, for all generations that have it; on its loop
    std::unique_ptr<Watch> watch;
};

namespace {

Row refusal(std::size_t position, const std::string& id, Code code, std::string why) {
    Row row;
    row.index = position;
    row.instance_id = id;
    row.code = code;
    row.error_msg = std::move(why);
    return row;
}

// Rows of the phones that the fleet was asked for, at their place among all ids.
class PlacedRows final : public RowSink {
public:
    PlacedRows(std::vector<std::size_t> positions, RowSink& sink) : positions_(std::move(positions)), sink_(sink) {}
    void on_row(Row row) override {
        row.index = positions_.at(row.index);
        sink_.on_row(std::move(row));
    }
    void on_done() override { sink_.on_done(); }

private:
    const std::vector<std::size_t> positions_;
    RowSink& sink_;
};

// A call that keeps its fleet alive.
template <class Keep>
class KeptCall final : public Call {
public:
    KeptCall(std::shared_ptr<Keep> keep, std::unique_ptr<PlacedRows> rows)
        : keep_(std::move(keep)), rows_(std::move(rows)) {}
    void begin(std::unique_ptr<Call> call) { call_ = std::move(call); }
    void stop(Error why) override { call_->stop(std::move(why)); }
    void wait() override { call_->wait(); }

private:
    std::shared_ptr<Keep> keep_;
    std::unique_ptr<PlacedRows> rows_;
    std::unique_ptr<Call> call_;  // first to go: its rows need the others
};

bool same(const Instance& a, const Instance& b) {
    return a.id == b.id && a.via == b.via && to_string(a.address) == to_string(b.address) && a.serial == b.serial &&
           a.labels == b.labels && a.disabled == b.disabled && a.disabled_why == b.disabled_why;
}

std::vector<std::pair<std::string, std::string>> groups_of(Fleet& fleet) {
    std::vector<std::pair<std::string, std::string>> groups;
    for (const auto& [name, group] : fleet.impl().inventory.groups) groups.emplace_back(name, group.selector);
    return groups;
}

// What is watched for phones to come.
std::pair<bool, bool> sources_of(Fleet& fleet) {
    const auto& inventory = fleet.impl().inventory;
    return {inventory.discover_server, inventory.discover_usb};
}

}  // namespace

Result<std::unique_ptr<FleetPhones>> FleetPhones::open(const FleetOptions& options) {
    auto fleet = Fleet::open(options);
    if (!fleet) return tl::unexpected(fleet.error());
    auto count = std::make_shared<std::atomic<std::uint64_t>>(0);
    auto first = std::make_shared<Generation>(std::move(*fleet), count, nullptr);
    return std::unique_ptr<FleetPhones>(new FleetPhones(std::move(first), std::move(count)));
}

FleetPhones::FleetPhones(std::shared_ptr<Generation> first, Count reconnects)
    : now_(std::move(first)), reconnects_(std::move(reconnects)) {}
FleetPhones::~FleetPhones() = default;

std::shared_ptr<FleetPhones::Generation> FleetPhones::now() const {
    const std::lock_guard lock(mutex_);
    return now_;
}

Result<bool> FleetPhones::reload() {
    auto fleet = now()->fleet->renew();
    if (!fleet) return tl::unexpected(fleet.error());
    const auto& before = now()->fleet->instances();
    const auto& after = (*fleet)->instances();
    const bool changed = !std::equal(before.begin(), before.end(), after.begin(), after.end(), same) ||
                         groups_of(*now()->fleet) != groups_of(**fleet);
    auto fresh = std::make_shared<Generation>(std::move(*fleet), reconnects_, now().get());
    const bool same_sources = sources_of(*now()->fleet) == sources_of(*fresh->fleet);
    {
        const std::lock_guard lock(mutex_);
        now_.swap(fresh);
    }
    const std::lock_guard lock(discovery_mutex_);
    if (!same_sources && discovered_) now()->fleet->on_discovery(discovered_);
    return changed || !same_sources;
}

std::shared_ptr<Fleet> FleetPhones::fleet() const {
    auto generation = now();
    auto* fleet = generation->fleet.get();
    return {std::move(generation), fleet};
}

const fleet::RecoveryCounts& FleetPhones::recovery_counts() const {
    return now()->fleet->impl().ground->recovery_counts();
}

void FleetPhones::on_discovery(std::function<void()> changed) {
    const std::lock_guard lock(discovery_mutex_);
    discovered_ = changed;
    now()->fleet->on_discovery(std::move(changed));
}

bool FleetPhones::knows(const std::string& id) const { return now()->by_id.contains(id); }

std::vector<std::string> FleetPhones::ids() const {
    std::vector<std::string> all;
    const auto generation = now();
    for (const auto& instance : generation->fleet->instances()) all.push_back(instance.id);
    return all;
}

Result<std::vector<std::string>> FleetPhones::select(std::string_view selector) const {
    const auto generation = now();
    const auto selection = generation->fleet->select(selector);
    if (!selection) return tl::unexpected(selection.error());
    std::vector<std::string> found;
    for (const auto target : selection->targets) found.push_back(generation->fleet->instances()[target].id);
    for (const auto target : selection->disabled) found.push_back(generation->fleet->instances()[target].id);
    return found;
}

std::optional<PhoneStatus> FleetPhones::status(const std::string& id) const {
    const auto generation = now();
    const auto it = generation->by_id.find(id);
    if (it == generation->by_id.end()) return std::nullopt;
    const std::lock_guard lock(generation->mutex);
    return generation->statuses[it->second];
}

std::unique_ptr<Call> FleetPhones::exec(const std::vector<std::string>& ids, ExecOptions options, RowSink& sink) {
    auto generation = now();
    std::vector<std::size_t> targets, positions;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto it = generation->by_id.find(ids[i]);
        if (it == generation->by_id.end()) {
            sink.on_row(
                refusal(i, ids[i], Code::phone_not_found, "Phone is not found: it is no longer in the inventory"));
        } else {
            targets.push_back(it->second);
            positions.push_back(i);
        }
    }
    auto rows = std::make_unique<PlacedRows>(std::move(positions), sink);
    auto& placed = *rows;
    auto call = std::make_unique<KeptCall<Generation>>(generation, std::move(rows));
    call->begin(generation->fleet->exec(targets, std::move(options), placed));
    return call;
}

}  // namespace drover::task
