#include "drover/fleet.hpp"

#include "base/log.hpp"
#include "base/resource_limits.hpp"
#include "dispatch/call_time.hpp"
#include "dispatch/command_work.hpp"
#include "dispatch/dispatcher.hpp"
#include "dispatch/fleet_impl.hpp"
#include "dispatch/probe_work.hpp"
#include "dispatch/refused_work.hpp"
#include "dispatch/selector.hpp"
#include "dispatch/watch.hpp"
#include "fleet/marks.hpp"

namespace drover {
namespace {

// Nobody looks at the rows of a probe: its findings are in the infos.
struct IgnoreRows final : RowSink {
    void on_row(Row) override {}
    void on_done() override {}
};

Result<fleet::Inventory> read_inventory(const FleetOptions& options) {
    if (!options.inventory) return fleet::Inventory();
    auto loaded = fleet::load_inventory(options.inventory->string());
    if (!loaded) return loaded;
    if (auto groups = dispatch::check_groups(*loaded); !groups) return tl::unexpected(groups.error());
    return loaded;
}

Result<void> mark_disabled(fleet::Inventory& inventory, const std::filesystem::path& state_dir) {
    const auto marks = fleet::load_marks(state_dir);
    if (!marks) return tl::unexpected(marks.error());
    for (Instance& instance : inventory.instances) {
        const auto mark = marks->find(instance.id);
        if (mark == marks->end()) continue;
        instance.disabled = true;
        instance.disabled_why = mark->second.reason.empty() ? "no reason given" : mark->second.reason;
    }
    return {};
}

}  // namespace

Fleet::Fleet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Fleet::~Fleet() = default;

Result<std::unique_ptr<Fleet>> Fleet::open(const FleetOptions& options) {
    raise_descriptor_limit();
    auto inventory = read_inventory(options);
    if (!inventory) return tl::unexpected(inventory.error());
    const auto address = adb::server_address_from_environment();
    if (!address) return tl::unexpected(address.error());
    const auto endpoint = adb::resolve(*address);
    if (!endpoint) return tl::unexpected(endpoint.error());
    auto ground = std::make_shared<FleetGround>(options, inventory->instances.size(), *endpoint);
    return make(std::make_unique<Impl>(std::move(ground), std::move(*inventory)), nullptr);
}

Result<std::unique_ptr<Fleet>> Fleet::renew() const {
    auto inventory = read_inventory(impl_->ground->options());
    if (!inventory) return tl::unexpected(inventory.error());
    return make(std::make_unique<Impl>(impl_->ground, std::move(*inventory)), impl_.get());
}

Result<std::unique_ptr<Fleet>> Fleet::make(std::unique_ptr<Impl> impl, const Impl* before) {
    if (auto discovered = impl->discover(before); !discovered) return tl::unexpected(discovered.error());
    if (auto marked = mark_disabled(impl->inventory, impl->ground->options().state_dir); !marked)
        return tl::unexpected(marked.error());
    impl->make_phones(before);
    std::unique_ptr<Fleet> fleet(new Fleet(std::move(impl)));
    // Nobody has these phones yet: those that are the same are told apart before anybody does. Later ones are, each before its
    // first command.
    if (!before && fleet->impl_->ambiguous) fleet->settle();
    if (auto wanted = fleet->impl_->ground->still_wanted(); !wanted) return tl::unexpected(wanted.error());
    return fleet;
}

void Fleet::settle() {
    std::vector<std::size_t> enabled;
    for (std::size_t i = 0; i < instances().size(); ++i) {
        if (!instances()[i].disabled) enabled.push_back(i);
    }
    if (enabled.size() < 2) return;
    (void)probe(enabled, std::min(Limits{}.connect, impl_->ground->opening_limit()));
    impl_->drop_twins();
}

void Fleet::on_discovery(std::function<void()> changed) {
    const fleet::Inventory& inventory = impl_->inventory;
    const bool alone = !impl_->ground->options().inventory;
    impl_->ground->on_discovery(alone || inventory.discover_server, alone || inventory.discover_usb,
                                std::move(changed));
}

bool Fleet::discovers() const {
    const fleet::Inventory& inventory = impl_->inventory;
    return !impl_->ground->options().inventory || inventory.discover_server || inventory.discover_usb;
}

const std::vector<Instance>& Fleet::instances() const { return impl_->inventory.instances; }

Result<Selection> Fleet::select(std::string_view text, std::chrono::milliseconds connect) {
    const auto selector = dispatch::Selector::parse(text, impl_->inventory.groups);
    if (!selector) return tl::unexpected(selector.error().to_error(text));
    std::vector<dispatch::Candidate> candidates;
    candidates.reserve(instances().size());
    for (std::size_t i = 0; i < instances().size(); ++i)
        candidates.push_back({&instances()[i], std::nullopt, impl_->phones[i]->is_unfit()});
    const auto undecided = selector->undecided(candidates);
    const auto infos = probe(undecided, connect);
    if (auto wanted = impl_->ground->still_wanted(); !wanted) return tl::unexpected(wanted.error());
    for (std::size_t i = 0; i < undecided.size(); ++i)
        candidates[undecided[i]].state = adb::parse_adb_state(infos[i].adb_state);
    return selector->select(candidates);
}

std::vector<PhoneInfo> Fleet::probe(const std::vector<std::size_t>& targets, std::chrono::milliseconds connect) {
    std::vector<PhoneInfo> infos(targets.size());
    dispatch::Request request;
    request.targets = impl_->phones_of(targets);
    request.make_work = [&](std::size_t target, fleet::Phone&) {
        return std::make_unique<dispatch::ProbeWork>(connect, infos[target]);
    };
    IgnoreRows rows;
    const auto call = dispatch::dispatch(std::move(request), rows);
    const std::stop_callback stop(impl_->ground->options().stop,
                                  [&call] { call->stop(Error(Code::interrupted, "told to stop")); });
    call->wait();
    for (std::size_t i = 0; i < targets.size(); ++i) infos[i].instance = instances()[targets[i]];
    return infos;
}

std::unique_ptr<Call> Fleet::exec(const std::vector<std::size_t>& targets, ExecOptions options, RowSink& sink) {
    dispatch::Request request;
    request.targets = impl_->phones_of(targets);
    request.max_parallel = options.max_parallel;
    request.deadline = options.deadline;
    request.make_work = [command = std::move(options.command), output = options.output,
                         admit = std::move(options.admit)](std::size_t target,
                                                           fleet::Phone& phone) -> std::unique_ptr<dispatch::Work> {
        if (const auto refused = admit ? admit(phone.instance()) : std::nullopt)
            return std::make_unique<dispatch::RefusedWork>(*refused);
        return std::make_unique<dispatch::CommandWork>(command, output, target);
    };
    return dispatch::dispatch(std::move(request), sink);
}

std::unique_ptr<Watch> Fleet::watch(const std::vector<std::size_t>& targets, StatusSink& sink) {
    return std::make_unique<dispatch::FleetWatch>(impl_->phones_of(targets), targets, sink);
}

std::vector<PhoneStatus> Fleet::history(std::size_t target) {
    std::vector<PhoneStatus> all;
    fleet::Phone& phone = *impl_->phones.at(target);
    impl_->ground->run_on(phone, [&] {
        for (const auto& old : phone.tracker().history()) all.push_back(dispatch::status_of(target, old));
        all.push_back(dispatch::status_of(target, phone.state()));
    });
    return all;
}

}  // namespace drover
