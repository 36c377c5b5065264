// Who may call: the files of tokens (hashed) and of access keys, each entry a tenant with its own instances.
//
//   version: 1                                  version: 1
//   tokens:                                     access_keys:
//     - tenant: ci                                - tenant: ci
//       sha256: 64 hex digits                       access: AK
//       instances: 'label:rack=r1'                  secret: SK
//                                                   instances: all
//
// Values; any thread. Failure: Code::bad_config with "FILE:LINE:COLUMN: message". A file that group or others may read is
// refused. A missing file is no credentials.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "drover/error.hpp"
#include "http/digest.hpp"

namespace drover::http {

constexpr std::size_t kCredentialsMax = 10'000;
constexpr std::size_t kTenantBytesMax = 64;
constexpr std::size_t kTokenBytesMax = 16'384;

struct TokenEntry {
    std::string tenant;
    Sha256 digest{};
    std::string instances = "all";  // a selector
};

struct AccessKey {
    std::string tenant, access, secret;
    std::string instances = "all";
};

struct Credentials {
    std::vector<TokenEntry> tokens;
    std::vector<AccessKey> keys;
};

Result<std::vector<TokenEntry>> load_tokens(const std::filesystem::path& file);
Result<std::vector<AccessKey>> load_access_keys(const std::filesystem::path& file);
// Replaces the file (0600) in one step.
Result<void> save_tokens(const std::filesystem::path& file, const std::vector<TokenEntry>& tokens);

// [A-Za-z0-9][A-Za-z0-9._-]*, at most kTenantBytesMax, and not kLocalTenant.
bool valid_tenant(std::string_view name);
inline constexpr std::string_view kLocalTenant = "local";  // whoever may open the Unix socket

}  // namespace drover::http
