#include "cli/remote_changes.hpp"

namespace drover::cli {
namespace {

constexpr std::chrono::milliseconds kAbandonLook{100};

}  // namespace

RemoteChanges::RemoteChanges(const ServerChoice& server, std::function<void()> changed)
    : changed_(std::move(changed)),
      stream_(
          server, "/drover/v1/changes", {},
          [this](std::string_view name, const boost::json::object& data) { on_event(name, data); },
          [this](const std::optional<Error>& why) { on_end(why); }) {}

std::optional<bool> RemoteChanges::may_come(std::chrono::milliseconds limit, const std::atomic<bool>* abandon) {
    const auto until = std::chrono::steady_clock::now() + limit;
    std::unique_lock lock(mutex_);
    const auto said = [this] { return may_come_ || why_; };
    while (!told_.wait_for(lock, kAbandonLook, said)) {
        if (std::chrono::steady_clock::now() >= until || (abandon && *abandon)) break;
    }
    return may_come_;
}

std::optional<Error> RemoteChanges::why() {
    const std::lock_guard lock(mutex_);
    return why_;
}

void RemoteChanges::on_event(std::string_view name, const boost::json::object& data) {
    if (name != "phones") return;
    const auto* may_come = data.if_contains("may_come");
    {
        const std::lock_guard lock(mutex_);
        const bool first = !may_come_;
        may_come_ = may_come && may_come->is_bool() && may_come->get_bool();
        if (first) return told_.notify_all();  // nothing was selected before
    }
    changed_();
}

void RemoteChanges::on_end(const std::optional<Error>& why) {
    {
        const std::lock_guard lock(mutex_);
        why_ = why.value_or(Error(Code::server_unreachable, "the drover server was stopped"));
        told_.notify_all();
    }
    if (!closing_) changed_();
}

}  // namespace drover::cli
