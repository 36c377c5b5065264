#include "sim/sync_service.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace drover::sim {

struct SyncService::Job {
    std::unique_ptr<SyncServer> server;
    adb::SyncBytes in, out;
};

SyncService::SyncService(Loop& loop, std::shared_ptr<Spawner> spawner, Port& port, SpawnRequest request,
                         adb::SyncFeatures features, OnHome on_home)
    : loop_(loop),
      spawner_(std::move(spawner)),
      port_(&port),
      request_(std::move(request)),
      features_(features),
      on_home_(std::move(on_home)) {}

SyncService::~SyncService() { on_closed(); }

void SyncService::start() {
    spawner_->place(std::move(request_), loop_,
                    [self = shared_from_this()](Result<Place> place) { self->on_place(std::move(place)); });
}

void SyncService::on_place(Result<Place> place) {
    if (port_ == nullptr) return;
    if (!place) {
        log::warn("sync: {}", place.error().message);
        return close();
    }
    on_home_(place->home);
    auto files = PhoneFiles::open(place->home->directory(), place->user);
    if (!files) {
        log::warn("sync: {}", files.error().message);
        return close();
    }
    server_ = std::make_unique<SyncServer>(std::move(*files), features_);
    work();
}

void SyncService::on_data(ByteView bytes) {
    in_.insert(in_.end(), bytes.begin(), bytes.end());
    work();
}

void SyncService::work() {
    if (working_ || ended_ || port_ == nullptr || !server_ || !out_.empty() || (in_.empty() && !more_)) return;
    working_ = true;
    auto job = std::make_shared<Job>();
    job->server = std::move(server_);
    job->in.swap(in_);
    spawner_->disk().post([self = shared_from_this(), job] {
        job->server->work(job->in, job->out, kAnswerBytes);
        self->loop_.post([self, job] { self->on_worked(*job); });
    });
}

void SyncService::on_worked(Job& job) {
    working_ = false;
    server_ = std::move(job.server);
    if (port_ == nullptr) return on_closed();
    more_ = server_->more();
    ended_ = server_->ended();
    out_ = std::move(job.out);
    if (!job.in.empty()) port_->taken(job.in.size());
    pump();
}

void SyncService::pump() {
    if (port_ == nullptr) return;
    while (sent_ < out_.size() && port_->can_write()) {
        const std::size_t n = std::min(out_.size() - sent_, port_->write_max());
        port_->write(ByteView(out_).subspan(sent_, n));
        sent_ += n;
    }
    if (sent_ < out_.size()) return;
    out_.clear();
    sent_ = 0;
    if (ended_) return close();
    work();
}

void SyncService::close() {
    if (Port* const port = std::exchange(port_, nullptr)) port->close();
    on_closed();
}

// What was received in part is removed, which touches the disk.
void SyncService::on_closed() {
    port_ = nullptr;
    if (!server_) return;
    spawner_->disk().post([server = std::shared_ptr<SyncServer>(std::move(server_))]() mutable { server.reset(); });
}

}  // namespace drover::sim
