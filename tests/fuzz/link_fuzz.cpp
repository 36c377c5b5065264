// The host's end of a connection against a phone that sends anything: no crash, no assertion, every handler told at most
// once. The first byte chooses the set-up, the rest is what the phone sends, fed in pieces of its own low bits.
#include <algorithm>
#include <cstdlib>

#include "adb/link.hpp"

namespace {

using namespace drover;

struct Observer final : adb::LinkObserver {
    void on_link_state(adb::LinkState) override {}
    void on_key_accepted(const std::string&) override {}
    void on_output() override {}
};

struct Handler final : adb::StreamHandler {
    adb::Link* link = nullptr;
    adb::StreamId id = 0;
    int closed = 0;
    bool closes_itself = false;

    void on_open() override {}
    adb::Ack on_data(ByteView bytes) override {
        if (bytes.empty() || closed) std::abort();
        if (closes_itself && bytes[0] == 'x') {
            link->close(id);
            closed = 1;  // from here on, silence
        }
        return bytes[0] == 'l' ? adb::Ack::later : adb::Ack::now;
    }
    void on_closed(const std::optional<Error>&) override {
        if (closed++) std::abort();
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::uint8_t setup = data[0];
    ByteView rest(data + 1, size - 1);
    Observer observer;
    adb::LinkOptions options;
    options.keys = std::make_shared<adb::KeyRing>();
    options.delayed_ack = setup & 1;
    adb::Link link(options, observer);
    Handler handlers[3];
    link.start();
    if (setup & 2) {
        const std::string_view banner =
            setup & 1 ? "device::features=shell_v2,delayed_ack" : "device::features=shell_v2";
        std::vector<std::uint8_t> cnxn;
        adb::append_packet(cnxn, adb::Command::cnxn, setup & 4 ? adb::kVersionChecksum : adb::kVersionNoChecksum, 4096,
                           as_bytes(banner), true);
        if (!link.feed(cnxn)) std::abort();
        for (Handler& h : handlers) {
            h.link = &link;
            h.id = link.open("shell:x", h).value();
        }
        handlers[0].closes_itself = true;
        link.close(handlers[2].id);
    }
    Result<void> ok;
    while (ok && !rest.empty()) {
        const std::size_t n = std::min<std::size_t>(rest.size(), 1 + (rest[0] & 63));
        ok = link.feed(rest.first(n));
        rest = rest.subspan(n);
        if (link.output().size() > 4 * size + (1 << 16)) std::abort();  // answers are bounded by what came in
    }
    link.shut(Error(Code::link_lost, "end"));
    if (handlers[2].closed) std::abort();  // closed by us: silence was promised
    return 0;
}
