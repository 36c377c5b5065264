#include "adb/sync_compression.hpp"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <lz4frame.h>
#include <zstd.h>

#include <array>
#include <new>
#include <string>

namespace drover::adb {
namespace {

using Piece = std::array<std::uint8_t, kSyncDataBytesMax>;

tl::unexpected<Error> broken(const char* format, std::string_view why) {
    return fail(Code::protocol_error, std::string("sync: broken ") + format + " data: " + std::string(why));
}
tl::unexpected<Error> cut(const char* format) { return broken(format, "it ends too early"); }

template <class T>
T* there(T* made) {
    if (!made) throw std::bad_alloc();
    return made;
}

template <class T, auto Free>
struct Freed {
    void operator()(T* p) const { Free(p); }
};

class BrotliEncoder final : public SyncEncoder {
public:
    BrotliEncoder() : state_(there(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr))) {
        constexpr std::uint32_t kFastest = 1;  // as adb does: the cable is slower than that, the host is not
        BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY, kFastest);
    }
    Result<void> encode(ByteView bytes, SyncBytes& out) override { return run(BROTLI_OPERATION_PROCESS, bytes, out); }
    Result<void> finish(SyncBytes& out) override { return run(BROTLI_OPERATION_FINISH, {}, out); }

private:
    Result<void> run(BrotliEncoderOperation what, ByteView bytes, SyncBytes& out) {
        const std::uint8_t* in = bytes.data();
        std::size_t left = bytes.size();
        do {
            std::size_t room = piece_.size();
            std::uint8_t* to = piece_.data();
            if (!BrotliEncoderCompressStream(state_.get(), what, &left, &in, &room, &to, nullptr))
                return fail(Code::internal, "brotli cannot compress");
            out.insert(out.end(), piece_.data(), to);
        } while (left > 0 || BrotliEncoderHasMoreOutput(state_.get()));
        return {};
    }
    std::unique_ptr<BrotliEncoderState, Freed<BrotliEncoderState, BrotliEncoderDestroyInstance>> state_;
    Piece piece_;
};

class BrotliDecoder final : public SyncDecoder {
public:
    BrotliDecoder() : state_(there(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr))) {}
    Result<void> decode(ByteView bytes, const Take& take) override {
        const std::uint8_t* in = bytes.data();
        std::size_t left = bytes.size();
        for (;;) {
            if (ended_) return left == 0 ? Result<void>() : broken("brotli", "bytes after its end");
            std::size_t room = piece_.size();
            std::uint8_t* to = piece_.data();
            const auto result = BrotliDecoderDecompressStream(state_.get(), &left, &in, &room, &to, nullptr);
            if (result == BROTLI_DECODER_RESULT_ERROR)
                return broken("brotli", BrotliDecoderErrorString(BrotliDecoderGetErrorCode(state_.get())));
            if (to != piece_.data()) {
                if (auto taken = take(ByteView(piece_.data(), to)); !taken) return taken;
            }
            ended_ = result == BROTLI_DECODER_RESULT_SUCCESS;
            if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) return {};
        }
    }
    Result<void> finish() override { return ended_ ? Result<void>() : cut("brotli"); }

private:
    std::unique_ptr<BrotliDecoderState, Freed<BrotliDecoderState, BrotliDecoderDestroyInstance>> state_;
    Piece piece_;
    bool ended_ = false;
};

class Lz4Encoder final : public SyncEncoder {
public:
    Lz4Encoder() {
        if (LZ4F_isError(LZ4F_createCompressionContext(&context_, LZ4F_VERSION))) throw std::bad_alloc();
    }
    ~Lz4Encoder() override { LZ4F_freeCompressionContext(context_); }
    Lz4Encoder(const Lz4Encoder&) = delete;
    Lz4Encoder& operator=(const Lz4Encoder&) = delete;

    Result<void> encode(ByteView bytes, SyncBytes& out) override {
        if (auto begun = begin(out); !begun) return begun;
        return append(out, LZ4F_compressBound(bytes.size(), nullptr), [&](std::uint8_t* to, std::size_t room) {
            return LZ4F_compressUpdate(context_, to, room, bytes.data(), bytes.size(), nullptr);
        });
    }
    Result<void> finish(SyncBytes& out) override {
        if (auto begun = begin(out); !begun) return begun;
        return append(out, LZ4F_compressBound(0, nullptr), [&](std::uint8_t* to, std::size_t room) {
            return LZ4F_compressEnd(context_, to, room, nullptr);
        });
    }

private:
    Result<void> begin(SyncBytes& out) {
        if (std::exchange(begun_, true)) return {};
        return append(out, LZ4F_HEADER_SIZE_MAX, [&](std::uint8_t* to, std::size_t room) {
            return LZ4F_compressBegin(context_, to, room, nullptr);
        });
    }
    template <class F>
    static Result<void> append(SyncBytes& out, std::size_t room, F&& f) {
        const std::size_t at = out.size();
        out.resize(at + room);
        const std::size_t n = f(out.data() + at, room);
        out.resize(LZ4F_isError(n) ? at : at + n);
        if (LZ4F_isError(n)) return fail(Code::internal, std::string("lz4: ") + LZ4F_getErrorName(n));
        return {};
    }
    LZ4F_cctx* context_ = nullptr;
    bool begun_ = false;
};

class Lz4Decoder final : public SyncDecoder {
public:
    Lz4Decoder() {
        if (LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION))) throw std::bad_alloc();
    }
    ~Lz4Decoder() override { LZ4F_freeDecompressionContext(context_); }
    Lz4Decoder(const Lz4Decoder&) = delete;
    Lz4Decoder& operator=(const Lz4Decoder&) = delete;

    Result<void> decode(ByteView bytes, const Take& take) override {
        for (;;) {
            if (ended_) return bytes.empty() ? Result<void>() : broken("lz4", "bytes after its end");
            std::size_t room = piece_.size(), used = bytes.size();
            const std::size_t hint = LZ4F_decompress(context_, piece_.data(), &room, bytes.data(), &used, nullptr);
            if (LZ4F_isError(hint)) return broken("lz4", LZ4F_getErrorName(hint));
            bytes = bytes.subspan(used);
            ended_ = hint == 0;
            if (room > 0) {
                if (auto taken = take(ByteView(piece_.data(), room)); !taken) return taken;
            } else if (bytes.empty()) {
                return {};
            }
        }
    }
    Result<void> finish() override { return ended_ ? Result<void>() : cut("lz4"); }

private:
    LZ4F_dctx* context_ = nullptr;
    Piece piece_;
    bool ended_ = false;
};

class ZstdEncoder final : public SyncEncoder {
public:
    ZstdEncoder() : context_(there(ZSTD_createCCtx())) {
        ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, 1);
    }
    Result<void> encode(ByteView bytes, SyncBytes& out) override { return run(ZSTD_e_continue, bytes, out); }
    Result<void> finish(SyncBytes& out) override { return run(ZSTD_e_end, {}, out); }

private:
    Result<void> run(ZSTD_EndDirective what, ByteView bytes, SyncBytes& out) {
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        for (;;) {
            ZSTD_outBuffer to{piece_.data(), piece_.size(), 0};
            const std::size_t left = ZSTD_compressStream2(context_.get(), &to, &in, what);
            if (ZSTD_isError(left)) return fail(Code::internal, std::string("zstd: ") + ZSTD_getErrorName(left));
            out.insert(out.end(), piece_.data(), piece_.data() + to.pos);
            if (what == ZSTD_e_end ? left == 0 : in.pos == in.size) return {};
        }
    }
    std::unique_ptr<ZSTD_CCtx, Freed<ZSTD_CCtx, ZSTD_freeCCtx>> context_;
    Piece piece_;
};

class ZstdDecoder final : public SyncDecoder {
public:
    ZstdDecoder() : context_(there(ZSTD_createDCtx())) {
        ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kWindowBytesLogMax);
    }
    Result<void> decode(ByteView bytes, const Take& take) override {
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        for (;;) {
            if (ended_) return in.pos == in.size ? Result<void>() : broken("zstd", "bytes after its end");
            ZSTD_outBuffer to{piece_.data(), piece_.size(), 0};
            const std::size_t left = ZSTD_decompressStream(context_.get(), &to, &in);
            if (ZSTD_isError(left)) return broken("zstd", ZSTD_getErrorName(left));
            ended_ = left == 0;
            if (to.pos > 0) {
                if (auto taken = take(ByteView(piece_.data(), to.pos)); !taken) return taken;
            }
            if (in.pos == in.size && to.pos < to.size && !ended_) return {};
        }
    }
    Result<void> finish() override { return ended_ ? Result<void>() : cut("zstd"); }

private:
    std::unique_ptr<ZSTD_DCtx, Freed<ZSTD_DCtx, ZSTD_freeDCtx>> context_;
    Piece piece_;
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<SyncEncoder> make_sync_encoder(SyncCompression compression) {
    switch (compression) {
        case SyncCompression::none: break;
        case SyncCompression::brotli: return std::make_unique<BrotliEncoder>();
        case SyncCompression::lz4: return std::make_unique<Lz4Encoder>();
        case SyncCompression::zstd: return std::make_unique<ZstdEncoder>();
    }
    return nullptr;
}

std::unique_ptr<SyncDecoder> make_sync_decoder(SyncCompression compression) {
    switch (compression) {
        case SyncCompression::none: break;
        case SyncCompression::brotli: return std::make_unique<BrotliDecoder>();
        case SyncCompression::lz4: return std::make_unique<Lz4Decoder>();
        case SyncCompression::zstd: return std::make_unique<ZstdDecoder>();
    }
    return nullptr;
}

}  // namespace drover::adb
