#include "agent/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/utf8.hpp"

namespace drover::agent {
namespace {

constexpr std::string_view kInterrupted =
    "interrupted: the agent ended while this command was running; it is not carried out again";

std::string told(const Answer& answer) {
    const auto text = sanitize_utf8(std::string_view(answer.body).substr(0, 200));
    return answer.status == 0 ? text : fmt::format("HTTP {} {}", answer.status, text);
}

}  // namespace

Machine::Machine(MachineOptions options, Ledger& ledger, Effects& effects)
    : options_(std::move(options)),
      ledger_(ledger),
      effects_(effects),
      poll_{Pace(options_.pace, options_.random), {}, {}, 0, false},
      report_{Pace(options_.pace, options_.random), {}, {}, 0, false} {}

Result<void> Machine::start(TimePoint now) {
    auto found = ledger_.load();
    if (!found) return tl::unexpected(found.error());
    for (auto& entry : *found) {
        order_ = std::max(order_, entry.order);
        done_order_ = std::max(done_order_, entry.done_order);
        auto key = entry.command.key;
        entries_.emplace(std::move(key), Item{std::move(entry), true, false, 0});
    }
    for (auto& [key, item] : entries_) {
        if (item.entry.state != EntryState::running) continue;
        Outcome outcome;
        outcome.msg = kInterrupted;
        outcome.started_ms = item.entry.started_ms;
        outcome.finished_ms = options_.wall_ms();
        finish(item, outcome, now);
    }
    poll_.due = report_.due = now;
    on_time(now);
    return {};
}

void Machine::on_time(TimePoint now) {
    if (stopped_) return;
    if (save_again_ && *save_again_ <= now) {
        save_again_.reset();
        for (auto& [key, item] : entries_) {
            if (!item.saved) (void)save(item, now);
        }
    }
    look_for_credentials(now);
    begin_what_may(now);
    send_reports(now);
    if (poll_.busy || poll_.due > now) return;
    poll_.busy = true;
    poll_.credentials = credentials_;
    ++polls_;
    effects_.poll();
}

TimePoint Machine::next() const {
    auto when = TimePoint::max();
    if (stopped_) return when;
    if (save_again_) when = *save_again_;
    const auto with = [&](const Line& line) {
        if (line.busy) return;
        when = std::min(when, line.due);
        if (line.look) when = std::min(when, *line.look);
    };
    with(poll_);
    if (next_report()) with(report_);
    return when;
}

// Each time, not only when one of them is to look: once the other's request has them, they are no news any more.
void Machine::look_for_credentials(TimePoint now) {
    bool denied = false;
    for (Line* line : {&poll_, &report_}) {
        if (!line->look || line->busy) continue;
        if (*line->look <= now) line->look = now + options_.pace.interval;
        denied = true;
    }
    if (!denied || !are_there_others()) return;
    log::info("agent: the credentials have changed");
    for (Line* line : {&poll_, &report_}) {
        if (!line->look || line->busy) continue;
        line->look.reset();
        line->due = now;
    }
}

bool Machine::are_there_others() {
    const bool others = effects_.reload_credentials();
    if (others) ++credentials_;
    return others;
}

void Machine::on_poll_answer(const Answer& answer, TimePoint now) {
    poll_.busy = false;
    poll_.look.reset();
    if (stopped_) return;
    auto verdict = verdict_of(answer.status);
    if (verdict != Verdict::ok) return pause(poll_, verdict, "poll", answer, now);
    const auto command = parse_command(answer.status == 204 ? "" : answer.body);
    if (!command) {
        Answer why;
        why.body = command.error();
        return pause(poll_, Verdict::failed, "poll", why, now);
    }
    poll_.due = now + poll_.pace.after(Verdict::ok);
    take(*command);
    on_time(now);
}

void Machine::pause(Line& line, Verdict verdict, std::string_view what, const Answer& answer, TimePoint now) {
    auto wait = line.pace.after(verdict);
    if (verdict == Verdict::denied) {
        if (are_there_others() || line.credentials != credentials_) wait = options_.pace.retry;
        line.look = now + options_.pace.interval;
    }
    line.due = now + wait;
    const auto again = drover::to_string(wait);
    if (verdict == Verdict::failed) {
        log::warn("agent: {}: {}; again in {}", what, told(answer), again);
    } else if (verdict == Verdict::missing) {
        log::error("agent: {}: the controller does not know this server_id, or is none: {}; again in {}", what,
                   told(answer), again);
    } else {
        log::error("agent: {}: {}; again in {}", what, told(answer), again);
    }
}

void Machine::take(const std::optional<Command>& command) {
    forget_settled(command);
    if (!command) return;
    const auto known = entries_.find(command->key);
    if (known != entries_.end()) return repeated(known->second);
    if (entries_.size() >= kEntriesMax) {
        log::error("agent: {} commands are not settled; {} stays with the controller", kEntriesMax,
                   to_string(command->key));
        return;
    }
    Item item;
    item.entry.command = *command;
    item.entry.order = order_ + 1;
    if (auto written = ledger_.put(item.entry); !written) {
        log::error("agent: {} is not taken: {}", to_string(command->key), written.error().message);
        return;  // the controller tells it again
    }
    ++order_;
    log::info("agent: {} received", to_string(command->key));
    entries_.emplace(command->key, std::move(item));
}

// A poll that began after a report was settled and brings something else: the controller has taken that command off.
void Machine::forget_settled(const std::optional<Command>& command) {
    for (auto it = entries_.begin(); it != entries_.end();) {
        const auto& item = it->second;
        const bool settled = item.entry.state == EntryState::reported || item.entry.state == EntryState::rejected;
        const bool again = command && command->key == it->first;
        const bool gone = settled && !again && item.saved && !item.resend && polls_ > item.settled_after;
        if (gone && ledger_.erase(it->first)) {
            it = entries_.erase(it);
        } else {
            ++it;
        }
    }
}

void Machine::repeated(Item& item) {
    if (item.entry.state == EntryState::reported && polls_ > item.settled_after) {
        log::info("agent: {} was delivered again; its result is sent again", to_string(item.entry.command.key));
        item.resend = true;
    }
}

void Machine::begin_what_may(TimePoint now) {
    std::vector<Item*> waiting;
    std::set<std::string_view> at_work;  // tasks of which a START or SYNC runs
    for (auto& [key, item] : entries_) {
        if (item.entry.state == EntryState::received) waiting.push_back(&item);
        if (item.entry.state == EntryState::running && is_long(key.name)) at_work.insert(key.task_id);
    }
    if (waiting.empty()) return;
    std::sort(waiting.begin(), waiting.end(),
              [](const Item* a, const Item* b) { return a->entry.order < b->entry.order; });
    // What ends others comes first: it may end one that would begin.
    for (auto* item : waiting) {
        if (ends_others(item->entry.command.key.name)) end_waiting(*item, now);
    }
    for (auto* item : waiting) {
        if (item->entry.state != EntryState::received || save_again_) continue;
        const auto& key = item->entry.command.key;
        // One after the other for one task, and not more tasks at once than the host shall bear.
        if (is_long(key.name) && (at_work.contains(key.task_id) || at_work.size() >= options_.parallel)) continue;
        item->entry.state = EntryState::running;
        item->entry.started_ms = options_.wall_ms();
        if (auto written = ledger_.put(item->entry); !written) {
            item->entry.state = EntryState::received;
            log::error("agent: {} waits: {}", to_string(key), written.error().message);
            save_again_ = now + options_.pace.retry;
            continue;
        }
        if (is_long(key.name)) at_work.insert(key.task_id);
        log::info("agent: {} begins", to_string(key));
        effects_.execute(item->entry.command);
    }
}

// What came before a STOP or DELETE of its task and has not begun never begins.
void Machine::end_waiting(const Item& by, TimePoint now) {
    const auto& key = by.entry.command.key;
    for (auto& [other, item] : entries_) {
        if (item.entry.state != EntryState::received || !is_long(other.name) || other.task_id != key.task_id ||
            item.entry.order > by.entry.order)
            continue;
        Outcome outcome;
        outcome.msg = fmt::format("cancelled: {} came before it had begun", key.name);
        outcome.finished_ms = options_.wall_ms();
        finish(item, outcome, now);
    }
}

void Machine::on_finished(const Key& key, const Outcome& outcome, TimePoint now) {
    const auto it = entries_.find(key);
    if (it == entries_.end() || it->second.entry.state != EntryState::running) return;
    finish(it->second, outcome, now);
    on_time(now);
}

void Machine::finish(Item& item, const Outcome& outcome, TimePoint now) {
    log::info("agent: {}: {}: {}", to_string(item.entry.command.key), outcome.ok ? "success" : "fail", outcome.msg);
    item.entry.report = build_report(item.entry.command.key, outcome);
    item.entry.state = EntryState::done;
    item.entry.done_order = ++done_order_;
    (void)save(item, now);
}

bool Machine::save(Item& item, TimePoint now) {
    const auto written = ledger_.put(item.entry);
    item.saved = written.has_value();
    if (item.saved) return true;
    log::error("agent: {}: {}", to_string(item.entry.command.key), written.error().message);
    save_again_ = now + options_.pace.retry;
    return false;
}

// In the order of being done; an unsaved one holds back those after it.
const Machine::Item* Machine::next_report() const {
    const Item* first = nullptr;
    for (const auto& [key, item] : entries_) {
        if (item.entry.state != EntryState::done && !item.resend) continue;
        if (!first || item.entry.done_order < first->entry.done_order) first = &item;
    }
    return first && first->saved ? first : nullptr;
}

void Machine::send_reports(TimePoint now) {
    if (stopped_ || report_.busy || report_.due > now) return;
    const auto* item = next_report();
    if (!item) return;
    report_.busy = true;
    report_.credentials = credentials_;
    reporting_ = item->entry.command.key;
    effects_.report(item->entry.report);
}

void Machine::on_report_answer(const Answer& answer, TimePoint now) {
    report_.busy = false;
    report_.look.reset();
    const auto key = std::exchange(reporting_, std::nullopt);
    const auto it = key ? entries_.find(*key) : entries_.end();
    if (it == entries_.end()) return;
    const auto verdict = verdict_of(answer.status);
    if (verdict == Verdict::ok) {
        report_.pace.forgive();
        settle(it->second, EntryState::reported, now);
    } else if (verdict == Verdict::rejected) {
        log::error("agent: the controller rejected the result of {}: {}", to_string(*key), told(answer));
        report_.pace.forgive();
        settle(it->second, EntryState::rejected, now);
    } else {
        pause(report_, verdict, "report", answer, now);
        return;
    }
    on_time(now);
}

void Machine::settle(Item& item, EntryState state, TimePoint now) {
    if (state == EntryState::reported) log::info("agent: {}: reported", to_string(item.entry.command.key));
    item.entry.state = state;
    item.resend = false;
    item.settled_after = polls_;
    report_.due = now;
    (void)save(item, now);
}

}  // namespace drover::agent
