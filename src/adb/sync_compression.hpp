// What version 2 of the file service compresses with: one brotli, lz4 or zstd stream per file, cut into DATA packets at any
// place. The formats are those of the tools of these names.
//
// One thread at a time. Ownership: the caller's. Failure: Result; after an error the object is not used again. Memory: the
// library's own window (bounded by kWindowBytesLogMax when it reads) and one piece of kSyncDataBytesMax.
#pragma once
#include <functional>
#include <memory>

#include "adb/sync.hpp"

namespace drover::adb {

constexpr int kWindowBytesLogMax = 24;  // a phone that wants more memory than 16 MiB for one file is refused

class SyncEncoder {
public:
    virtual ~SyncEncoder() = default;
    virtual Result<void> encode(ByteView bytes, SyncBytes& out) = 0;  // appends; perhaps nothing yet
    virtual Result<void> finish(SyncBytes& out) = 0;                  // appends what is left; the stream is whole
};

class SyncDecoder {
public:
    using Take =
        std::function<Result<void>(ByteView)>;  // pieces of at most kSyncDataBytesMax; what it refuses is handed on
    virtual ~SyncDecoder() = default;
    virtual Result<void> decode(ByteView bytes, const Take& take) = 0;
    virtual Result<void> finish() = 0;  // an error when the stream is not whole
};

// Null for SyncCompression::none: then bytes go as they are. Throws std::bad_alloc when there is no memory.
std::unique_ptr<SyncEncoder> make_sync_encoder(SyncCompression compression);
std::unique_ptr<SyncDecoder> make_sync_decoder(SyncCompression compression);

}  // namespace drover::adb
