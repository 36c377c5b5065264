// One phone, kept alive: it asks its connector for a carrier, tries again with jittered back-off when the link is lost, and
// tells whoever waits. It never gives up while somebody wants it. One that a person took out of service is left alone.
//
// Threads: its loop only, for its whole life, but for what says otherwise. Ownership: the fleet owns phones; waiters and hooks
// outlive their registration. Failure: a waiter is told why the phone cannot serve it only when trying again would not help (no
// trust, TLS, wrong protocol); anything else is retried until the waiter's own deadline.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adb/stream.hpp"
#include "base/loop_pool.hpp"
#include "base/prefetch.hpp"
#include "drover/instance.hpp"
#include "drover/row.hpp"
#include "fleet/backoff.hpp"
#include "fleet/boot_watch.hpp"
#include "fleet/caretaker.hpp"
#include "fleet/command_gate.hpp"
#include "fleet/connector.hpp"
#include "fleet/identity.hpp"
#include "fleet/pace.hpp"
#include "fleet/state.hpp"

namespace drover::fleet {

class Phone;

class Waiter {
public:
    virtual void on_ready(adb::Carrier& carrier) = 0;
    virtual void on_hopeless(const Error& why) = 0;
    // The attempt has come that far. Must not wait(), leave() or end anything.
    virtual void on_progress(Phase) {}

protected:
    ~Waiter() = default;
};

// Told of every change of a phone's state, in order, and when it goes out of service, on the phone's loop.
class StateListener {
public:
    virtual void on_state(const Phone& phone) = 0;

protected:
    ~StateListener() = default;
};

// What phones of one fleet share; whatever is null is not done. All of it outlives them.
struct PhoneShared {
    IdentityBook* identities = nullptr;  // set where the same phone may be there twice
    IdentityBook::Rank rank = IdentityBook::Rank::inventory;
    Pace* pace = nullptr;
    const Upkeep* upkeep = nullptr;
    RecoveryCounts* counts = nullptr;  // with upkeep
};

class Phone final : private ConnectorSink, private Patient {
public:
    // A link that lived shorter counts as one more failure: a flapping cable is not tried as fast as it flaps.
    static constexpr auto kStableAfter = std::chrono::seconds(5);
    // A phone that is another one is asked that often whether it still is.
    static constexpr auto kTwinRetry = std::chrono::seconds(15);
    // A phone that is to give way to an earlier one of the inventory does so by then, or has a command.
    static constexpr auto kGiveWayMax = std::chrono::milliseconds(100);
    static constexpr auto kIdentityMax = std::chrono::seconds(5);  // for one answer

    Phone(Loop& loop, std::size_t index, const Instance& instance, std::unique_ptr<Connector> connector,
          PhoneShared shared = {});
    ~Phone();
    Phone(const Phone&) = delete;
    Phone& operator=(const Phone&) = delete;

    // Tells `waiter` once, at once when the answer is known (then before wait() returns), unless leave() comes first.
    void wait(Waiter& waiter);
    void leave(Waiter& waiter);

    // From now on the phone is kept connected and asked whether it has booted; the listener hears of every change. Until
    // unwatch(); several may watch.
    void watch(StateListener& listener);
    void unwatch(StateListener& listener);

    // Gives the link up where nobody needs it: no waiter, no watcher, no command. The next wait() connects again. Not from
    // inside a callback of the link. The state stays what was last seen.
    void let_go();

    // Takes the phone out of service, for a person's reason, or (nullopt) back. Whoever waits is told, nothing new is opened,
    // and the link is closed as soon as no command needs it, so that others can use the phone.
    void set_service(std::optional<Error> out_of_service);
    const std::optional<Error>& out_of_service() const { return out_of_service_; }

    // Why it takes no commands now although nobody disabled it: its health is past a limit.
    const std::optional<Error>& unfit() const { return unfit_; }
    bool is_unfit() const { return is_unfit_.load(std::memory_order_relaxed); }  // any thread
    const std::optional<Health>* health() const { return care_ ? &care_->health() : nullptr; }

    // What is done with its data, and that it is about to go away on our word: for its documented status alone. Each activity
    // that began ends once: what began last and goes on is shown, after the last end that one's `then`. Whoever said
    // that it reboots says so too when it did not. One that is out of service, or unfit, stays so in its status.
    void begin_activity(Activity during, std::string_view what);
    void end_activity(Activity during, Activity then, std::string_view what);
    void show_reboot(bool coming, std::string_view what);

    // A command for it comes soon: time to prefetch() what that will need. First the phone; a step later, its link.
    void expect_command() const { prefetch(this, kHotBytes); }
    void expect_open() const {
        prefetch(carrier_, adb::Carrier::kHotBytes);
        prefetch(connector_.get(), kCacheLineBytes);
    }

    CommandGate& gate() { return gate_; }
    Loop& loop() { return loop_; }
    std::size_t index() const { return index_; }
    const Instance& instance() const { return instance_; }
    // What the inventory says of it now: its labels, its place in it and whether it is there at all; all else stays.
    void set_labels(std::map<std::string, std::string> labels) { instance_.labels = std::move(labels); }
    void set_place(std::size_t index, IdentityBook::Rank rank);
    const PhoneState& state() const { return tracker_.state(); }
    const Tracker& tracker() const { return tracker_; }
    Phase phase() const { return phase_; }  // how far the current attempt got: connect, handshake or auth
    const std::optional<Error>& last_error() const { return last_error_; }
    // Of this process, while a command runs on it. Any thread.
    std::size_t descriptors() const { return connector_->descriptors(); }
    // Where its link is plugged in, "1-4.2"; empty: not on USB, or nobody knows.
    std::string usb_path() const { return connector_->usb_path(); }
    const adb::Peer* peer() const { return carrier_ ? &carrier_->peer() : nullptr; }
    // Its link is up, and it is known who it is: a command can go there now.
    bool serves() const { return carrier_ && settled_; }

private:
    static constexpr std::size_t kHotBytes = 6 * kCacheLineBytes;

    void on_phase(Phase phase, PhoneEvent event, std::string_view why) override;
    void on_online(adb::Carrier& carrier) override;
    void on_unauthorized(const Error& why) override;
    void on_down(const Error& why, PhoneEvent event, bool hopeless) override;
    const std::string& name() const override { return instance_.id; }
    bool busy() const override { return gate_.busy(); }
    void reconnect() override;
    bool reset_usb() override { return connector_->reset_usb(); }
    bool reboot(Duration check) override;
    void ask_a_person() override;
    void set_unfit(std::optional<std::string> why) override;
    void does_not_answer() override;
    void answers() override;

    void try_now();
    void on_retry();
    void drop_link();
    void try_later(bool was_stable, bool hopeless);
    bool link_is_stable() const { return carrier_ && loop_.now() - online_at_ >= kStableAfter; }
    void ask_identity();
    void on_identity(const Result<Question::Answer>& answer);
    void become_twin();
    void give_way();
    bool update_intent(std::string_view why);  // whether its state changed
    void rest();
    void show_activity(Activity activity, std::string_view what);
    void on_no_reboot();
    void on_hint();
    void tell(const std::function<void(Waiter&)>& call);
    void forget_link();
    void note(PhoneEvent event, std::string_view why);
    void tell_state();
    void tell_care();

    // First what every command needs: kHotBytes of it.
    Loop& loop_;
    std::size_t index_;
    adb::Carrier* carrier_ = nullptr;
    std::unique_ptr<Connector> connector_;
    CommandGate gate_;
    bool trying_ = false;  // the connector is at work or the link is up
    bool settled_ = true;  // who it is, is known; without that its link serves nobody
    std::optional<Error> out_of_service_;
    std::optional<Error> unfit_;
    Instance instance_;

    PhoneShared shared_;
    Tracker tracker_{std::chrono::system_clock::now()};
    Phase phase_ = Phase::connect;
    std::optional<Error> last_error_;
    std::atomic<bool> is_unfit_{false};  // whether unfit_ is set
    std::string twin_of_;                // while its link is about to be dropped for that
    std::string serial_;                 // as it told it last, where it was asked
    bool asked_for_way_ = false;         // on this link
    std::string give_way_to_;  // has the same serial and comes before it: as soon as no command needs the link
    std::optional<Error> unauthorized_;  // set while the link waits for a person
    std::vector<Waiter*> waiters_;
    bool in_doubt_ = false;  // it did not answer on its last link: it stays offline until it has answered on a new one
    TimePoint online_at_{};
    Backoff backoff_;
    bool has_turn_ = false;  // waits for its turn of the fleet's pace
    std::vector<StateListener*> listeners_;
    std::vector<Activity> under_way_;  // as they began
    BootWatch boot_;
    Question identity_;
    std::shared_ptr<Phone*> self_ = std::make_shared<Phone*>(this);  // what posted functions look through
    std::unique_ptr<Caretaker> care_;                                // with upkeep
    struct RebootStream final : adb::StreamHandler {
        explicit RebootStream(Phone& p) : phone(p) {}
        void on_open() override {}
        adb::Ack on_data(ByteView) override { return adb::Ack::now; }
        void on_closed(const std::optional<Error>& why) override {
            id = 0;
            if (why && why->code == Code::refused) phone.show_reboot(false, "it refused to reboot");
        }
        Phone& phone;
        adb::StreamId id = 0;  // 0: not open
    } reboot_stream_{*this};
    // From a clean stack: a link is not dropped from inside its own callbacks.
    Timer twin_ = Timer::calls<&Phone::become_twin>(*this);
    Timer no_reboot_ = Timer::calls<&Phone::on_no_reboot>(*this);  // while its link is the one that was told
    Timer rest_ = Timer::calls<&Phone::rest>(*this);
    Timer ask_identity_ = Timer::calls<&Phone::ask_identity>(*this);
    Timer retry_ = Timer::calls<&Phone::on_retry>(*this);
};

}  // namespace drover::fleet
