// A SyncServer behind a stream: bytes move on the phone's loop, files are read and written on the fleet's work pool.
//
// One thread: the phone's loop. At most one job is with the pool; what the client sends meanwhile waits here, not yet
// acknowledged, and answers wait until the client takes them.
#pragma once
#include <memory>

#include "base/loop_pool.hpp"
#include "base/work_pool.hpp"
#include "sim/service.hpp"
#include "sim/spawner.hpp"
#include "sim/sync_server.hpp"

namespace drover::sim {

class SyncService final : public Service, public std::enable_shared_from_this<SyncService> {
public:
    static constexpr std::size_t kAnswerBytes = 512 * 1024;  // of one job
    using OnHome = std::function<void(const std::shared_ptr<Home>&)>;

    SyncService(Loop& loop, std::shared_ptr<Spawner> spawner, Port& port, SpawnRequest request,
                adb::SyncFeatures features, OnHome on_home);
    ~SyncService() override;

    void start() override;
    void on_can_write() override { pump(); }
    void on_data(ByteView bytes) override;
    void on_closed() override;

private:
    struct Job;
    void on_place(Result<Place> place);
    void work();
    void on_worked(Job& job);
    void pump();
    void close();

    Loop& loop_;
    std::shared_ptr<Spawner> spawner_;
    Port* port_;  // null once the stream is gone
    SpawnRequest request_;
    const adb::SyncFeatures features_;
    OnHome on_home_;
    std::unique_ptr<SyncServer> server_;  // with the job while one is under way
    adb::SyncBytes in_;
    adb::SyncBytes out_;
    std::size_t sent_ = 0;  // of out_
    bool working_ = false;
    bool more_ = false;
    bool ended_ = false;
};

}  // namespace drover::sim
