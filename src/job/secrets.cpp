#include "job/secrets.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "base/yaml_tree.hpp"

namespace drover::job {
namespace {

constexpr std::string_view kMask = "***";

Result<std::string> value_of(const Secret& secret) {
    if (!secret.env.empty()) {
        const char* value = std::getenv(secret.env.c_str());
        if (!value) return fail(Code::bad_job, fmt::format("the environment has no {}", secret.env));
        return std::string(value);
    }
    struct stat status {};
    if (::stat(secret.file.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return fail(Code::bad_job, fmt::format("{} can be read by others; chmod 600 it", secret.file.string()));
    auto text = yaml::read_text(yaml::Source{secret.file.string(), Code::bad_job, Secrets::kBytesMax});
    if (text && text->ends_with('\n')) text->pop_back();
    return text;
}

}  // namespace

Secrets::Secrets(std::vector<std::string> values) : values_(std::move(values)) {
    for (const auto& value : values_) {
        if (!value.empty()) starts_[static_cast<unsigned char>(value.front())] = true;
    }
}

Result<Secrets> Secrets::load(const std::vector<Secret>& wanted) {
    std::vector<std::string> values;
    for (const auto& secret : wanted) {
        auto value = value_of(secret);
        if (!value) return fail(Code::bad_job, fmt::format("secrets.{}: {}", secret.name, value.error().message));
        if (value->size() < kBytesMin || value->size() > kBytesMax || value->find('\0') != std::string::npos) {
            return fail(Code::bad_job, fmt::format("secrets.{}: a secret has {} to {} bytes, none of them NUL",
                                                   secret.name, kBytesMin, kBytesMax));
        }
        values.push_back(*std::move(value));
    }
    return Secrets(std::move(values));
}

std::size_t Secrets::match(std::string_view text, bool& open) const {
    open = false;
    if (text.empty() || !starts_[static_cast<unsigned char>(text.front())]) return 0;
    std::size_t longest = 0;
    for (const auto& value : values_) {
        if (value.size() <= text.size()) {
            if (text.starts_with(value)) longest = std::max(longest, value.size());
        } else if (std::string_view(value).starts_with(text)) {
            open = true;
        }
    }
    return longest;
}

std::string Secrets::masked(std::string_view text) const {
    if (empty()) return std::string(text);
    MaskedStream stream(*this);
    auto out = stream.feed(text);
    return out + stream.finish();
}

std::string Secrets::masked_cut(std::string_view text) const {
    if (empty()) return std::string(text);
    return MaskedStream(*this).feed(text);
}

std::string MaskedStream::feed(std::string_view bytes) {
    held_ += bytes;
    return take(false);
}

std::string MaskedStream::finish() {
    auto out = take(true);
    hidden_ = 0;
    return out;
}

std::string MaskedStream::take(bool all) {
    std::string out;
    std::size_t at = 0;
    for (; at < held_.size(); ++at) {
        bool open = false;
        const auto found = secrets_->match(std::string_view(held_).substr(at), open);
        if (open && !all) break;  // a longer one may be coming
        if (found > 0 && hidden_ == 0) out += kMask;
        hidden_ = std::max(hidden_, found);
        if (hidden_ > 0) {
            --hidden_;
        } else {
            out += held_[at];
        }
    }
    held_.erase(0, at);
    return out;
}

}  // namespace drover::job
