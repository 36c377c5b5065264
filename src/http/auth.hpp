// Decides who a request is from: X-Auth-Token, a signature, or the Unix socket's file permissions.
//
// Immutable once made; any thread. A new set of credentials is a new Authenticator. Comparison takes the same time whatever
// the guess is. Failure: a text for people.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <unordered_set>
#include <vector>

#include "http/credentials.hpp"
#include "net/http_message.hpp"

namespace drover::http {

// One who may call. `local` is whoever may open the Unix socket.
struct Tenant {
    std::string name;
    bool all = false;  // every instance, now and later
    std::unordered_set<std::string> instances;

    bool may_use(const std::string& id) const { return all || instances.contains(id); }
};
using TenantPtr = std::shared_ptr<const Tenant>;

// Token and signature clients have different duties: a token client names its requests itself.
enum class AuthWay : std::uint8_t { token, signature, socket };

struct Caller {
    TenantPtr tenant;
    AuthWay way = AuthWay::token;
};

class Authenticator {
public:
    struct Token {
        Sha256 digest{};
        TenantPtr tenant;
    };
    struct Key {
        std::string access, secret;
        TenantPtr tenant;
    };
    Authenticator(std::vector<Token> tokens, std::vector<Key> keys)
        : tokens_(std::move(tokens)), keys_(std::move(keys)) {}

    tl::expected<Caller, std::string> judge(const net::Request& request,
                                            std::chrono::system_clock::time_point now) const;

private:
    tl::expected<Caller, std::string> judge_token(const net::Request& request) const;
    tl::expected<Caller, std::string> judge_signature(const net::Request& request,
                                                      std::chrono::system_clock::time_point now) const;

    std::vector<Token> tokens_;
    std::vector<Key> keys_;
};

}  // namespace drover::http
