// What the generations of one fleet share (Fleet::renew()): loops, keys, the adb server's list, USB. Everything a phone needs that is
// not its own.
//
// Threads: any, one call at a time, not from a loop. Ownership: held by every generation and thereby outlives its phones; the last
// one takes it down. Failure: as said at each call.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "adb/auth.hpp"
#include "adb/transport/usb_device.hpp"
#include "base/loop_pool.hpp"
#include "base/work_pool.hpp"
#include "dispatch/turns.hpp"
#include "drover/fleet.hpp"
#include "fleet/direct_connector.hpp"
#include "fleet/inventory.hpp"
#include "fleet/key_memory.hpp"
#include "fleet/phone.hpp"
#include "fleet/server_hub.hpp"
#include "fleet/usb_hub.hpp"

namespace drover {

class FleetGround {
public:
    // `phones`: about how many there will be; decides how many loops run.
    FleetGround(const FleetOptions& options, std::size_t phones, adb::ServerEndpoint server);
    ~FleetGround();
    FleetGround(const FleetGround&) = delete;
    FleetGround& operator=(const FleetGround&) = delete;

    // Its last owner must let go of it on its loop.
    std::shared_ptr<fleet::Phone> make_phone(std::size_t index, const Instance& instance, Via written,
                                             fleet::IdentityBook::Rank rank);
    // From now on the same phone may be there twice: phones that are made later tell who they are before they are used.
    void settle_identities() { identities_wanted_ = true; }  // of phones that are made from now on
    bool settles_identities() const { return identities_wanted_; }
    fleet::IdentityBook& identities() { return identities_; }
    const fleet::RecoveryCounts& recovery_counts() const { return counts_; }
    // What the adb server lists, and what is on USB; the first time this waits for an answer. Null: none came
    // in time, or before FleetOptions::stop.
    std::shared_ptr<const fleet::ServerView> server_view(std::chrono::milliseconds wait);
    adb::UsbPhones usb_phones(std::chrono::milliseconds wait);
    // How long the next of these may take, and whatever else a fleet waits for before it is open: see FleetOptions::deadline.
    std::chrono::milliseconds opening_limit() const;
    Result<void> still_wanted() const;  // Code::interrupted once FleetOptions::stop was requested

    // See Fleet::on_discovery(): the adb server's list and USB are watched from now on.
    void on_discovery(bool server, bool usb, std::function<void()> changed);

    LoopPool& pool() { return pool_; }
    // Threads for what blocks, made with the first use.
    WorkPool& disk();
    dispatch::Turns& turns() { return turns_; }
    const FleetOptions& options() const { return options_; }
    // Runs f on the phone's loop and waits for it.
    template <class F>
    void run_on(fleet::Phone& phone, F&& f) {
        for (std::size_t l = 0; l < pool_.size(); ++l) {
            if (&pool_.at(l) == &phone.loop()) return pool_.run_on(l, std::forward<F>(f));
        }
    }

private:
    std::unique_ptr<fleet::Connector> make_connector(Loop& loop, const Instance& instance, Via via);
    std::unique_ptr<fleet::Connector> make_usb_connector(Loop& loop, const Instance& instance);
    fleet::LinkConnectorOptions link_options();
    fleet::ServerHub& server_hub();
    fleet::UsbHub& usb_hub();

    const std::chrono::steady_clock::time_point made_ = std::chrono::steady_clock::now();
    const FleetOptions options_;
    fleet::KeyMemory key_memory_;
    fleet::IdentityBook identities_;
    bool identities_wanted_ = false;
    fleet::Pace pace_;
    fleet::RecoveryCounts counts_;
    dispatch::Turns turns_;
    std::shared_ptr<const adb::KeyRing> keys_;
    // Made with the first phone on USB; outlives the loops, which may hold its devices.
    std::unique_ptr<adb::UsbBus> usb_;
    LoopPool pool_;
    std::unique_ptr<WorkPool> disk_;    // stopped before the loops, to which its jobs report
    const adb::ServerEndpoint server_;  // looked up before any loop needs it
    // Made with the first phone that is reached through the server; lives on loop 0.
    std::unique_ptr<fleet::ServerHub> hub_;
    std::unique_ptr<fleet::UsbHub> usb_hub_;  // made with usb_
    class Bell;
    std::unique_ptr<Bell> bell_;  // lives on loop 0
    std::size_t next_loop_ = 0;
};

}  // namespace drover
