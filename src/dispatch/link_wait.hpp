// The wait for a phone that can be told something: its link within the connect limit, its trust within the auth limit, and a
// state that takes commands. What every operation begins with.
//
// Threads: the phone's loop. Ownership: embedded in an operation; phone and owner outlive it, its destructor leaves quietly.
// Failure: on_no_link() with the reason and how far it got. One of the two calls comes once, maybe from inside start(), unless
// cancel() comes first; it may destroy the wait.
#pragma once
#include "drover/command.hpp"
#include "fleet/phone.hpp"

namespace drover::dispatch {

class LinkOwner {
public:
    virtual void on_link(adb::Carrier& carrier) = 0;
    virtual void on_no_link(const Error& why, Phase phase) = 0;

protected:
    ~LinkOwner() = default;
};

class LinkWait final : private fleet::Waiter {
public:
    LinkWait(fleet::Phone& phone, LinkOwner& owner) : phone_(phone), owner_(owner) {}
    ~LinkWait() { cancel(); }
    LinkWait(const LinkWait&) = delete;
    LinkWait& operator=(const LinkWait&) = delete;

    void start(const Limits& limits);
    void cancel();
    // A limit of the owner's own passed: gives on_no_link() with why there is no link. Only while waiting.
    void expire();

private:
    void on_ready(adb::Carrier& carrier) override;
    void on_hopeless(const Error& why) override;
    void on_progress(Phase phase) override;
    void fail(const Error& why, Phase phase);
    Error why_not() const;
    bool is_authorizing() const;

    fleet::Phone& phone_;
    LinkOwner& owner_;
    Limits::Millis auth_{};
    bool waiting_ = false;      // in the phone's list of waiters
    bool checks_keys_ = false;  // it has since this began: the auth limit counts
    Timer deadline_ = Timer::calls<&LinkWait::expire>(*this);
};

}  // namespace drover::dispatch
