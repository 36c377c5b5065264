#include "adb/sync.hpp"

#include "base/assert.hpp"

namespace drover::adb {

SyncFeatures SyncFeatures::of(const Features& features) {
    SyncFeatures f;
    f.stat_v2 = features.has("stat_v2");
    f.list_v2 = features.has("ls_v2");
    f.send_recv_v2 = features.has("sendrecv_v2");
    f.brotli = f.send_recv_v2 && features.has("sendrecv_v2_brotli");
    f.lz4 = f.send_recv_v2 && features.has("sendrecv_v2_lz4");
    f.zstd = f.send_recv_v2 && features.has("sendrecv_v2_zstd");
    return f;
}

bool SyncFeatures::has(SyncCompression compression) const {
    switch (compression) {
        case SyncCompression::none: return true;
        case SyncCompression::brotli: return brotli;
        case SyncCompression::lz4: return lz4;
        case SyncCompression::zstd: return zstd;
    }
    return false;
}

namespace {

void put32(SyncBytes& out, std::uint32_t value) {
    const std::size_t at = out.size();
    out.resize(at + 4);
    store_le32(out.data() + at, value);
}
void put64(SyncBytes& out, std::uint64_t value) {
    put32(out, static_cast<std::uint32_t>(value));
    put32(out, static_cast<std::uint32_t>(value >> 32));
}
void put_id(SyncBytes& out, SyncId id) { put32(out, static_cast<std::uint32_t>(id)); }
void put_text(SyncBytes& out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }

// What STA2, LST2 and DNT2 have in common: error dev ino mode nlink uid gid size atime mtime ctime.
void put_stat_v2(SyncBytes& out, const SyncStat& s) {
    put32(out, s.error);
    put64(out, 0);
    put64(out, 0);
    put32(out, s.mode);
    for (int i = 0; i < 3; ++i) put32(out, 0);
    put64(out, s.size);
    for (int i = 0; i < 3; ++i) put64(out, static_cast<std::uint64_t>(s.mtime));
}

}  // namespace

void append_sync_request(SyncBytes& out, SyncId id, std::string_view path) {
    DROVER_ASSERT(path.size() <= kSyncPathBytesMax + 16);  // SEND's carries ",mode"
    put_id(out, id);
    put32(out, static_cast<std::uint32_t>(path.size()));
    put_text(out, path);
}

void append_sync_send(SyncBytes& out, bool v2, std::string_view path, std::uint32_t mode, SyncCompression compression) {
    if (!v2) {
        DROVER_ASSERT(compression == SyncCompression::none);
        return append_sync_request(out, SyncId::send_v1, std::string(path) + ',' + std::to_string(mode));
    }
    append_sync_request(out, SyncId::send_v2, path);
    put_id(out, SyncId::send_v2);
    put32(out, mode);
    put32(out, static_cast<std::uint32_t>(compression));
}

void append_sync_recv(SyncBytes& out, bool v2, std::string_view path, SyncCompression compression) {
    if (!v2) return append_sync_request(out, SyncId::recv_v1, path);
    append_sync_request(out, SyncId::recv_v2, path);
    put_id(out, SyncId::recv_v2);
    put32(out, static_cast<std::uint32_t>(compression));
}

void append_sync_data(SyncBytes& out, ByteView bytes) {
    DROVER_ASSERT(!bytes.empty() && bytes.size() <= kSyncDataBytesMax);
    put_id(out, SyncId::data);
    put32(out, static_cast<std::uint32_t>(bytes.size()));
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_sync_done(SyncBytes& out, std::int64_t mtime) {
    put_id(out, SyncId::done);
    put32(out, static_cast<std::uint32_t>(mtime));
}

void append_sync_stat(SyncBytes& out, SyncId id, const SyncStat& s) {
    put_id(out, id);
    if (id != SyncId::lstat_v1) return put_stat_v2(out, s);
    put32(out, s.error == 0 ? s.mode : 0);
    put32(out, static_cast<std::uint32_t>(s.size));
    put32(out, static_cast<std::uint32_t>(s.mtime));
}

void append_sync_entry(SyncBytes& out, bool v2, std::string_view name, const SyncStat& s) {
    put_id(out, v2 ? SyncId::dent_v2 : SyncId::dent_v1);
    if (v2) {
        put_stat_v2(out, s);
    } else {
        put32(out, s.mode);
        put32(out, static_cast<std::uint32_t>(s.size));
        put32(out, static_cast<std::uint32_t>(s.mtime));
    }
    put32(out, static_cast<std::uint32_t>(name.size()));
    put_text(out, name);
}

// As long as an entry without a name.
void append_sync_list_end(SyncBytes& out, bool v2) {
    const std::size_t at = out.size();
    append_sync_entry(out, v2, "", {});
    store_le32(out.data() + at, static_cast<std::uint32_t>(SyncId::done));
}

void append_sync_okay(SyncBytes& out) {
    put_id(out, SyncId::okay);
    put32(out, 0);
}

void append_sync_fail(SyncBytes& out, std::string_view message) {
    message = message.substr(0, kSyncMessageBytesMax);
    put_id(out, SyncId::fail);
    put32(out, static_cast<std::uint32_t>(message.size()));
    put_text(out, message);
}

}  // namespace drover::adb
