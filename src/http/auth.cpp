#include "http/auth.hpp"

#include "http/credentials.hpp"
#include "http/signature.hpp"

namespace drover::http {
namespace {

using Bad = tl::unexpected<std::string>;

TenantPtr local_tenant() {
    static const auto tenant = [] {
        auto t = std::make_shared<Tenant>();
        t->name = kLocalTenant;
        t->all = true;
        return TenantPtr(t);
    }();
    return tenant;
}

}  // namespace

tl::expected<Caller, std::string> Authenticator::judge(const net::Request& request,
                                                       std::chrono::system_clock::time_point now) const {
    if (request.header("X-Auth-Token")) return judge_token(request);
    if (request.header("Authorization")) return judge_signature(request, now);
    if (request.local) return Caller{local_tenant(), AuthWay::socket};
    return Bad("neither X-Auth-Token nor Authorization is given");
}

tl::expected<Caller, std::string> Authenticator::judge_token(const net::Request& request) const {
    const auto& token = *request.header("X-Auth-Token");
    if (request.count("X-Auth-Token") != 1) return Bad("X-Auth-Token is given twice");
    if (token.empty() || token.size() > kTokenBytesMax) return Bad("X-Auth-Token must have 1 to 16384 bytes");
    const auto digest = sha256(token);
    TenantPtr found;
    for (const auto& known : tokens_) {  // to the end: the place of a match must not show in the time
        if (same_digest(known.digest, digest)) found = known.tenant;
    }
    if (!found) return Bad("the token is not known");
    return Caller{std::move(found), AuthWay::token};
}

tl::expected<Caller, std::string> Authenticator::judge_signature(const net::Request& request,
                                                                 std::chrono::system_clock::time_point now) const {
    const auto signed_request = read_signature(request, now);
    if (!signed_request) return Bad(signed_request.error());
    const auto canonical = canonical_request(request, signed_request->signed_headers);
    if (!canonical) return Bad(canonical.error());
    const Key* key = nullptr;
    const auto access = sha256(signed_request->access);
    for (const auto& known : keys_) {
        if (same_digest(sha256(known.access), access)) key = &known;
    }
    // An unknown access key costs the same work as a wrong signature, and gets the same words.
    const auto expected =
        signature_of(*canonical, signed_request->date, key ? key->secret : std::string_view("no key"));
    if (!same_digest(expected, signed_request->signature) || !key) return Bad("the signature does not match");
    return Caller{key->tenant, AuthWay::signature};
}

}  // namespace drover::http
