// A phone without any protocol, for tests of what stands above the link: its connector does what the test scripts, and its
// carrier answers commands by rules. Everything runs on the phone's loop; the test talks to it through LoopPool::run_on().
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adb/sync.hpp"
#include "base/loop_pool.hpp"
#include "fleet/phone.hpp"

namespace drover::test {

// Answers "shell,v2,raw:COMMAND" as the test says; by default exits 0 at once after OKAY.
class FakeCarrier final : public adb::Carrier {
public:
    explicit FakeCarrier(Loop& loop) : loop_(loop) {
        peer_.banner = adb::parse_banner("device::ro.product.model=Fake;features=shell_v2");
        peer_.features = adb::Features::parse("shell_v2");
        peer_.max_payload = 4096;
    }

    enum class Behave { exits, refuses, mute, opens_only, loses_link };
    Behave behave = Behave::exits;
    int exit_code = 0;
    std::string output = "ok\n";
    std::size_t turns = 0;  // of the loop that the end of a command takes
    // Called before each answer with the service; sets the members above for it.
    std::function<void(FakeCarrier&, std::string_view)> before_answer;
    // Takes what is written, if set; until then nothing may be.
    std::function<void(adb::StreamId, ByteView)> on_write;
    // Sends bytes on an open stream; never from inside write().
    void say(adb::StreamId id, adb::SyncBytes bytes) {
        later([this, id, bytes = std::move(bytes)] {
            if (const auto it = streams_.find(id); it != streams_.end()) it->second->on_data(bytes);
        });
    }
    std::vector<std::string> opened;
    std::vector<std::string> ended;  // commands that were told their exit code
    std::size_t closes = 0;
    adb::Peer peer_;

    const adb::Peer& peer() const override { return peer_; }
    Result<adb::StreamId> open(std::string_view service, adb::StreamHandler& handler) override {
        opened.emplace_back(service);
        const adb::StreamId id = ++last_;
        streams_[id] = &handler;
        // Never from inside open().
        later([this, id] { answer(id); });
        return id;
    }
    void write(adb::StreamId id, ByteView bytes) override {
        if (on_write) on_write(id, bytes);
    }
    std::size_t write_limit() const override { return on_write ? 1 << 20 : 0; }
    std::size_t unacked(adb::StreamId) override { return 0; }
    void acknowledge(adb::StreamId) override { ++acknowledged; }
    void close(adb::StreamId id) override { closes += streams_.erase(id); }
    std::size_t open_now() const { return streams_.size(); }
    std::size_t acknowledged = 0;

    // The phone closes every stream, as after a command that ended.
    void end_all() {
        for (auto& [id, handler] : std::exchange(streams_, {})) handler->on_closed(std::nullopt);
    }
    void lose(const Error& why) {
        for (auto& [id, handler] : std::exchange(streams_, {})) handler->on_closed(why);
    }

private:
    // Nothing once this is gone: a phone that reboots loses its carrier with what that still had to say.
    template <class F>
    void later(F run) {
        loop_.post([alive = std::weak_ptr<const bool>(alive_), run = std::move(run)] {
            if (!alive.expired()) run();
        });
    }
    const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);

    static std::string shell_packet(char id, std::string_view data) {
        std::string p(5, '\0');
        p[0] = id;
        store_le32(reinterpret_cast<std::uint8_t*>(p.data()) + 1, static_cast<std::uint32_t>(data.size()));
        return p + std::string(data);
    }
    void answer(adb::StreamId id) {
        const auto find = [&]() -> adb::StreamHandler* {
            const auto it = streams_.find(id);
            return it == streams_.end() ? nullptr : it->second;
        };
        if (before_answer) before_answer(*this, opened[id - 1]);
        adb::StreamHandler* h = find();
        if (!h || behave == Behave::mute) return;
        if (behave == Behave::refuses) {
            streams_.erase(id);
            return h->on_closed(Error(Code::refused, "the phone refused the service"));
        }
        h->on_open();
        if (behave == Behave::opens_only) return;
        if (behave == Behave::loses_link) return lose(Error(Code::link_lost, "cable"));
        end(id, shell_packet(1, output) + shell_packet(3, std::string(1, static_cast<char>(exit_code))), turns);
    }
    void end(adb::StreamId id, std::string bytes, std::size_t turns_left) {
        if (turns_left > 0)
            return later([this, id, bytes = std::move(bytes), turns_left] { end(id, bytes, turns_left - 1); });
        const auto it = streams_.find(id);
        if (it == streams_.end()) return;
        ended.push_back(opened[id - 1]);
        it->second->on_data(as_bytes(bytes));
    }

    Loop& loop_;
    adb::StreamId last_ = 0;
    std::map<adb::StreamId, adb::StreamHandler*> streams_;
};

class FakeConnector final : public fleet::Connector {
public:
    explicit FakeConnector(Loop& loop) : carrier(loop), loop_(loop) {}

    enum class Behave { online, absent, mute, unauthorized, wants_tls };
    Behave behave = Behave::online;
    FakeCarrier carrier;
    std::string usb;  // where it is plugged in
    std::string usb_path() const override { return usb; }
    std::size_t takes = 2;  // descriptors
    std::size_t descriptors() const override { return takes; }
    int starts = 0;
    fleet::ConnectorSink* sink = nullptr;

    void start(fleet::ConnectorSink& s) override {
        ++starts;
        sink = &s;
        s.on_phase(Phase::connect, fleet::PhoneEvent::no_connection, "connecting");
        loop_.post([this, alive = std::weak_ptr(alive_)] {
            if (alive.expired() || !sink) return;
            switch (behave) {
                case Behave::online: return sink->on_online(carrier);
                case Behave::absent: return down(Error(Code::phone_not_found, "cannot connect: refused"), false);
                case Behave::wants_tls: return down(Error(Code::wants_tls, "wants TLS"), true);
                case Behave::unauthorized:
                    sink->on_phase(Phase::auth, fleet::PhoneEvent::authorizing, "checking keys");
                    return sink->on_unauthorized(Error(Code::unauthorized, "not trusted"));
                case Behave::mute: return;
            }
        });
    }
    std::function<void()> at_stop;
    void stop() override {
        sink = nullptr;
        if (at_stop) at_stop();
        carrier.lose(Error(Code::link_lost, "the link was closed"));
    }
    void come_back() { hint(); }
    void down(const Error& why, bool hopeless) {
        const auto event =
            why.code == Code::link_lost ? fleet::PhoneEvent::link_lost : fleet::PhoneEvent::no_connection;
        if (auto* s = std::exchange(sink, nullptr)) s->on_down(why, event, hopeless);
        carrier.lose(why);
    }

private:
    Loop& loop_;
    // Nothing once this is gone: a phone that is destroyed takes it along.
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

// N fake phones spread over a pool. Destroyed on their loops.
class FakeFleet {
public:
    FakeFleet(std::size_t phones_count, std::size_t loops) : pool(loops) {
        for (std::size_t i = 0; i < phones_count; ++i) {
            Loop& loop = pool.at(i % loops);
            auto c = std::make_unique<FakeConnector>(loop);
            connectors.push_back(c.get());
            Instance instance;
            instance.id = "p" + std::to_string(i);
            phones.push_back(std::make_unique<fleet::Phone>(loop, i, instance, std::move(c)));
        }
    }
    ~FakeFleet() {
        for (std::size_t l = 0; l < pool.size(); ++l) {
            pool.run_on(l, [&] {
                for (std::size_t i = l; i < phones.size(); i += pool.size()) phones[i].reset();
            });
        }
    }
    // Runs f on the loop of phone i.
    template <class F>
    void at(std::size_t i, F&& f) {
        pool.run_on(i % pool.size(), [&] { f(*connectors[i]); });
    }
    std::vector<fleet::Phone*> all() {
        std::vector<fleet::Phone*> v;
        for (auto& p : phones) v.push_back(p.get());
        return v;
    }

    LoopPool pool;
    std::vector<FakeConnector*> connectors;
    std::vector<std::unique_ptr<fleet::Phone>> phones;
};

}  // namespace drover::test
