// Any bytes as what a phone answers while packages are installed: however they are split, the same is asked of the phone and the same
// comes of it; only what the phone was told to do well counts as installed; and no answer puts words into a later command.
// Each leg's answer ends with a byte 0xff; with `same`, the first one is what the shell service (v2) sends.
#include <algorithm>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/utf8.hpp"
#include "transfer/install.hpp"

namespace {

using namespace drover;
using namespace drover::transfer;

constexpr std::size_t kLegsMax = 8;

struct Told {
    std::vector<std::string> services;
    std::string left;  // what would be cleaned up
    std::string failure;
    bool skipped = false;
    bool operator==(const Told&) const = default;
};

std::unique_ptr<Script> script_of(std::size_t parts, bool same) {
    std::vector<Apk> apks;
    for (std::size_t i = 0; i < parts; ++i) apks.push_back({"/none", "its own.apk", i + 1});
    InstallOptions options;
    if (same) options.skip_same = {"com.example", {std::string(64, 'a'), std::string(64, 'b')}};
    return install_script(std::move(apks), options);
}

Result<std::string> answer(StreamTask& task, ByteView bytes, std::size_t piece) {
    for (; !bytes.empty() && !task.done(); bytes = bytes.subspan(std::min(bytes.size(), piece))) {
        const auto fed = task.feed(bytes.first(std::min(bytes.size(), piece)));
        if (!fed) return tl::unexpected(fed.error());
    }
    if (!task.done()) {
        if (const auto closed = task.on_closed(); !closed) return tl::unexpected(closed.error());
    }
    return task.finish();
}

Told talk(ByteView bytes, std::size_t parts, bool same, std::size_t piece) {
    adb::Peer peer;
    peer.features = adb::Features::parse("shell_v2,cmd");
    const auto script = script_of(parts, same);
    Told told;
    for (std::size_t i = 0; i < kLegsMax; ++i) {
        const auto leg = script->next(peer);
        if (!leg) told.failure = leg.error().message;
        if (!leg || !*leg) break;
        told.services.push_back((*leg)->service);
        const auto end = std::find(bytes.begin(), bytes.end(), 0xff);
        const auto size = static_cast<std::size_t>(end - bytes.begin());
        const auto said = answer(*(*leg)->task, bytes.first(size), piece);
        bytes = bytes.subspan(std::min(bytes.size(), size + 1));
        if (!said) {
            DROVER_ASSERT(said.error().message.find('\n') == std::string::npos);
            told.failure = said.error().message.empty() ? "?" : said.error().message;
            break;
        }
        told.skipped = told.skipped || said->starts_with("the same");
    }
    told.left = script->clean_up().value_or("");
    return told;
}

void check_words(std::string_view words) {
    DROVER_ASSERT(std::ranges::all_of(words, [](unsigned char c) { return c >= 0x20 && c < 0x7f; }));
    constexpr std::size_t kWordsMax = 200;
    DROVER_ASSERT(words.size() <= kWordsMax);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t parts = 1 + data[0] % 3;
    const bool same = (data[0] & 4) != 0;
    const ByteView bytes(data + 1, size - 1);
    const auto whole = talk(bytes, parts, same, size);
    for (const std::size_t piece : {1, 3}) DROVER_ASSERT(talk(bytes, parts, same, piece) == whole);
    for (const auto& service : whole.services) check_words(service);
    check_words(whole.left);
    const std::size_t all = (same ? 1 : 0) + (parts == 1 ? 1 : parts + 2);
    DROVER_ASSERT(whole.skipped ? whole.services.size() == 1 : whole.services.size() <= all);
    DROVER_ASSERT(!whole.failure.empty() || whole.skipped || whole.services.size() == all);
    DROVER_ASSERT(whole.failure.empty() == whole.left.empty() || whole.services.size() <= 1 + (same ? 1U : 0U));
    return 0;
}
