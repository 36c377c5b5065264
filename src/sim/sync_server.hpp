// The phone's end of the file service: requests in, answers out, versions 1 and 2 (reference: AOSP
// daemon/file_sync_service.cpp, whose texts and oddities it keeps: user permissions are copied to group and others).
//
// Blocks on the file system: not for loops. One thread at a time. Failure: told to the client; a client that breaks the
// protocol ends the service. Memory: one request, or one DATA, or about `room` bytes of answers.
#pragma once
#include <optional>
#include <string>

#include "adb/sync_compression.hpp"
#include "base/holes.hpp"
#include "sim/phone_files.hpp"

namespace drover::sim {

class SyncServer {
public:
    SyncServer(PhoneFiles files, adb::SyncFeatures features) : files_(std::move(files)), features_(features) {}
    ~SyncServer();  // removes what was received in part
    SyncServer(const SyncServer&) = delete;
    SyncServer& operator=(const SyncServer&) = delete;

    // Takes what the client sent, and answers until about `room` bytes are in `out`.
    void work(ByteView bytes, adb::SyncBytes& out, std::size_t room);
    bool more() const { return more_; }    // it stopped for want of room: call again
    bool ended() const { return ended_; }  // nothing more will be answered: close

private:
    struct Receiving {  // a file that the client sends
        std::string path;
        std::uint32_t mode = 0;
        bool link = false;
        UniqueFd file;
        std::string target;
        std::uint64_t size = 0;
        bool hole = false;  // in it
        std::unique_ptr<adb::SyncDecoder> decoder;
        bool failed = false;  // told; the rest is swallowed, as adbd does
    };
    struct Sending {  // a file that the client gets
        UniqueFd file;
        std::unique_ptr<adb::SyncEncoder> encoder;
        HoleReader reader;
        adb::SyncBytes encoded;
    };
    struct Listing {
        PhoneFiles::Directory directory;
        bool v2 = false;
    };

    bool step(adb::SyncBytes& out);  // false: more input is needed, or it has ended
    bool request(adb::SyncBytes& out);
    bool perform(adb::SyncId id, std::string path, ByteView rest, adb::SyncBytes& out);
    void begin_receiving(std::string path, std::uint32_t mode, std::uint32_t flags, adb::SyncBytes& out);
    bool receive(adb::SyncBytes& out);
    Result<void> take(ByteView bytes);
    void finish_receiving(std::int64_t mtime, adb::SyncBytes& out);
    void send_piece(adb::SyncBytes& out);
    void list_some(adb::SyncBytes& out);
    void refuse(adb::SyncBytes& out, std::string_view why);  // and end
    ByteView input() const { return ByteView(in_).subspan(at_); }
    std::optional<adb::SyncCompression> compression_of(std::uint32_t flags) const;

    PhoneFiles files_;
    const adb::SyncFeatures features_;
    adb::SyncBytes in_;
    std::size_t at_ = 0;  // of in_, already used
    std::unique_ptr<Receiving> receiving_;
    std::optional<Sending> sending_;
    std::optional<Listing> listing_;
    bool more_ = false;
    bool ended_ = false;
};

}  // namespace drover::sim
