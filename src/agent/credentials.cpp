#include "agent/credentials.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <ctime>

#include "base/yaml_tree_reader.hpp"
#include "http/credentials.hpp"
#include "http/signature.hpp"

namespace drover::agent {
namespace {

constexpr yaml::KeySpec kAccessKeyKeys[] = {{"access", true}, {"secret", true}};
constexpr const char* kAccessVariable = "DROVER_AGENT_ACCESS_KEY";
constexpr const char* kSecretVariable = "DROVER_AGENT_SECRET_KEY";

Result<std::string> read_secret_file(const std::filesystem::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) == 0 && (info.st_mode & 0077) != 0)
        return fail(Code::bad_config, fmt::format("{}: others may read this secret; chmod 600 it", file.string()));
    return yaml::read_text({file.string(), Code::bad_config});
}

std::string date_text(std::chrono::system_clock::time_point when) {
    const auto seconds = std::chrono::system_clock::to_time_t(when);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                       parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace

Result<Credentials::Secret> Credentials::read() const {
    Secret secret;
    if (config_.token) {
        secret.token = *config_.token;
    } else if (config_.token_file) {
        auto text = read_secret_file(*config_.token_file);
        if (!text) return tl::unexpected(text.error());
        while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
        if (text->empty() || text->size() > http::kTokenBytesMax || text->find('\n') != std::string::npos) {
            return fail(Code::bad_config, fmt::format("{}: a token is one line of 1 to {} bytes",
                                                      config_.token_file->string(), http::kTokenBytesMax));
        }
        secret.token = std::move(*text);
    } else if (config_.access_key_file) {
        auto text = read_secret_file(*config_.access_key_file);
        if (!text) return tl::unexpected(text.error());
        const yaml::Source source{config_.access_key_file->string(), Code::bad_config};
        const auto root = yaml::parse(*text, source);
        if (!root) return tl::unexpected(root.error());
        yaml::Problems problems(source);
        const yaml::MapReader map(*root, "", kAccessKeyKeys, problems);
        secret.access = map.string("access").value_or("");
        secret.secret = map.string("secret").value_or("");
        if (!problems.empty()) return problems.unexpected();
    } else {
        const char* access = std::getenv(kAccessVariable);
        const char* key = std::getenv(kSecretVariable);
        if (!access || !key || !*access || !*key) {
            return fail(
                Code::bad_config,
                fmt::format("agent: no credentials: give token, token_file or access_key_file, or set {} and {}",
                            kAccessVariable, kSecretVariable));
        }
        secret.access = access;
        secret.secret = key;
    }
    return secret;
}

Result<void> Credentials::check() const {
    const auto secret = read();
    return secret ? Result<void>() : tl::unexpected(secret.error());
}

bool Credentials::reload() {
    const auto secret = read();
    const std::lock_guard lock(mutex_);
    return secret && *secret != used_;
}

Result<void> Credentials::sign(net::Request& request, std::chrono::system_clock::time_point now) {
    auto secret = read();
    if (!secret) return tl::unexpected(secret.error());
    {
        const std::lock_guard lock(mutex_);
        used_ = *secret;
    }
    if (!secret->token.empty()) {
        request.headers.push_back({"X-Auth-Token", std::move(secret->token)});
        return {};
    }
    const auto date = date_text(now);
    request.headers.push_back({"X-Sdk-Date", date});
    // The client adds Host itself.
    auto signed_request = request;
    signed_request.target = config_.url.base_path + request.target;
    signed_request.headers.push_back({"Host", config_.url.host_header()});
    const auto canonical = http::canonical_request(signed_request, {"host", "x-sdk-date"});
    if (!canonical) return fail(Code::internal, canonical.error());
    const auto signature = http::to_hex(http::signature_of(*canonical, date, secret->secret));
    request.headers.push_back({"Authorization", fmt::format("{} Access={}, SignedHeaders=host;x-sdk-date, Signature={}",
                                                            http::kSignatureAlgorithm, secret->access, signature)});
    return {};
}

}  // namespace drover::agent
