#include "dispatch/probe_work.hpp"

#include <utility>

namespace drover::dispatch {

PhoneInfo describe(const fleet::Phone& phone) {
    PhoneInfo info;
    info.instance = phone.instance();
    info.adb_state = adb::to_string(phone.state().adb_state());
    if (const adb::Peer* peer = phone.peer()) {
        info.product = peer->banner.product;
        info.model = peer->banner.model;
        info.device = peer->banner.device;
    } else if (phone.last_error()) {
        info.why = phone.last_error()->message;
    }
    return info;
}

ProbeWork::~ProbeWork() {
    if (waiting_) phone_->leave(*this);
}

void ProbeWork::start(fleet::Phone& phone, WorkDone& done) {
    phone_ = &phone;
    done_ = &done;
    phone.loop().arm_after(deadline_, connect_);
    waiting_ = true;
    phone.wait(*this);
}

void ProbeWork::stop(const Error& why) { finish(why.code, why.message); }

void ProbeWork::on_ready(adb::Carrier&) {
    waiting_ = false;
    finish(Code::ok, {});
}

void ProbeWork::on_hopeless(const Error& why) {
    waiting_ = false;
    finish(why.code, why.message);
}

void ProbeWork::on_deadline() {
    const auto& last = phone_->last_error();
    finish(Code::phone_not_found, last ? last->message : "no link in time");
}

void ProbeWork::finish(Code code, std::string message) {
    deadline_.cancel();
    if (std::exchange(waiting_, false)) phone_->leave(*this);
    info_ = describe(*phone_);
    if (info_.why.empty()) info_.why = message;
    Row row;
    row.code = code;
    row.error_msg = std::move(message);
    done_->on_row(std::move(row));
}

}  // namespace drover::dispatch
