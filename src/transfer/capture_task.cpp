#include "transfer/capture_task.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/counted.hpp"

namespace drover::transfer {
namespace {

constexpr std::string_view kPngBegin("\x89PNG\r\n\x1a\n", 8);
constexpr std::string_view kPngEnd("\0\0\0\0IEND\xAE\x42\x60\x82", 12);

}  // namespace

Result<void> CaptureTask::feed(ByteView bytes) {
    head_ += as_text(bytes.first(std::min(bytes.size(), kToldBytes - head_.size())));
    tail_ += as_text(bytes.last(std::min(bytes.size(), kTailBytes)));
    if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
    return file_.write(bytes);
}

Result<std::string> CaptureTask::finish() {
    if (what_ == What::png && (!head_.starts_with(kPngBegin) || tail_ != kPngEnd)) {
        const bool cut = head_.starts_with(kPngBegin);
        auto said = head_.substr(0, head_.find_last_not_of("\r\n") + 1);
        std::replace(said.begin(), said.end(), '\n', ' ');
        discard();
        if (cut) return fail(Code::file_failed, "the picture is cut off");
        return fail(Code::command_failed, said.empty() ? "no picture came" : "no picture came, but: " + said);
    }
    if (auto whole = file_.commit(); !whole) return tl::unexpected(whole.error());
    return counted(file_.bytes(), "byte") + "\n";
}

void CaptureTask::discard() {
    if (what_ != What::png && file_.bytes() > 0 && file_.commit()) return;
    file_.discard();
}

}  // namespace drover::transfer
