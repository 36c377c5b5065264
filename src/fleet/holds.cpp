#include "fleet/holds.hpp"

namespace drover::fleet {

HoldBook::Now Holds::now() { return {drover::Clock::now(), std::chrono::system_clock::now()}; }

std::vector<std::string> Holds::take(const Holder& holder, std::span<const std::string> candidates, HoldBook::Want want,
                                     std::optional<Millis> time_to_live) {
    const auto now = clock_();
    const auto until = time_to_live ? std::optional(now.time + *time_to_live) : std::nullopt;
    std::vector<std::string> granted;
    {
        const std::lock_guard lock(mutex_);
        granted = book_.take(holder, candidates, want, now, until);
        note_locked();
    }
    if (!granted.empty() && changed_) changed_();
    return granted;
}

bool Holds::waits_locked(std::string_view run, std::string_view owner) const {
    const auto* known = book_.run(run);
    return known && known->until && known->holder->owner == owner;
}

bool Holds::begin(std::string_view run, std::string_view owner) {
    const std::lock_guard lock(mutex_);
    return waits_locked(run, owner) && book_.renew(run, clock_(), std::nullopt);
}

bool Holds::give_up(std::string_view run, std::string_view owner) {
    {
        const std::lock_guard lock(mutex_);
        if (!waits_locked(run, owner)) return false;
    }
    release(run);
    return true;
}

void Holds::release(std::string_view run) {
    {
        const std::lock_guard lock(mutex_);
        if (!book_.release(run)) return;
        note_locked();
    }
    if (freed_) freed_();
    if (changed_) changed_();
}

std::optional<Hold> Holds::of(const std::string& id) {
    if (!any_) return std::nullopt;
    const std::lock_guard lock(mutex_);
    book_.expire(clock_().time);
    note_locked();
    const auto* hold = book_.find(id);
    return hold ? std::optional(*hold) : std::nullopt;
}

std::size_t Holds::phones() {
    const std::lock_guard lock(mutex_);
    book_.expire(clock_().time);
    note_locked();
    return book_.phones();
}

std::size_t Holds::free(std::span<const std::string> candidates) {
    std::size_t n = 0;
    for (const auto& id : candidates) n += of(id) ? 0 : 1;
    return n;
}

// As a row says it.
Error refusal(const Hold& hold) {
    auto text = std::string(info(Code::held).text);
    if (text.ends_with('.')) text.pop_back();
    return Error(Code::held, text + ": " + hold.text());
}

Admit Holds::admission() {
    return [this](const Instance& phone) -> std::optional<Error> {
        const auto hold = of(phone.id);
        if (!hold) return std::nullopt;
        return refusal(*hold);
    };
}

}  // namespace drover::fleet
