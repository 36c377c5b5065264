#include "http/credentials.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/yaml_tree_reader.hpp"

namespace drover::http {
namespace {

constexpr yaml::KeySpec kTokenFileKeys[] = {{"version", true}, {"tokens", true}};
constexpr yaml::KeySpec kTokenKeys[] = {{"tenant", true}, {"sha256", true}, {"instances"}};
constexpr yaml::KeySpec kKeyFileKeys[] = {{"version", true}, {"access_keys", true}};
constexpr yaml::KeySpec kAccessKeys[] = {{"tenant", true}, {"access", true}, {"secret", true}, {"instances"}};

Result<bool> exists_and_is_private(const std::filesystem::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) {
        if (errno == ENOENT) return false;
        return fail(Code::bad_config, fmt::format("{}: {}", file.string(), std::strerror(errno)));
    }
    if ((info.st_mode & 0077) != 0) {
        return fail(Code::bad_config,
                    fmt::format("{}: group or others may read or write it; chmod 600 it", file.string()));
    }
    return true;
}

std::string read_tenant(const yaml::MapReader& map) {
    auto tenant = map.string("tenant").value_or("");
    if (!tenant.empty() && !valid_tenant(tenant))
        map.problem("tenant", "letters, digits, '.', '_' and '-' only, at most 64, and not 'local'");
    return tenant;
}

// The entries of `list`, each read by `read`, which reports what is wrong.
template <class Entry, class Read>
Result<std::vector<Entry>> load_entries(const std::filesystem::path& file, std::span<const yaml::KeySpec> file_keys,
                                        std::string_view list, Read read) {
    const auto there = exists_and_is_private(file);
    if (!there) return tl::unexpected(there.error());
    if (!*there) return std::vector<Entry>();
    const yaml::Source source{file.string(), Code::bad_config};
    const auto root = yaml::load(source);
    if (!root) return tl::unexpected(root.error());
    yaml::Problems problems(source);
    const yaml::MapReader map(*root, "", file_keys, problems);
    map.integer("version", 1, 1);
    std::vector<Entry> entries;
    if (const auto* node = map.find(list); node && !node->is_sequence() && node->kind != yaml::Kind::null) {
        map.problem(list, "must be a list");
    } else if (node) {
        if (node->items.size() > kCredentialsMax)
            map.problem(list, fmt::format("more than {} entries", kCredentialsMax));
        for (std::size_t i = 0; i < node->items.size(); ++i) {
            entries.push_back(read(node->items[i], fmt::format("{}[{}]", list, i), problems));
        }
    }
    if (!problems.empty()) return problems.unexpected();
    return entries;
}

}  // namespace

bool valid_tenant(std::string_view name) {
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    return !name.empty() && name.size() <= kTenantBytesMax && name != kLocalTenant &&
           kLetters.find(name.front()) != std::string_view::npos &&
           name.find_first_not_of(std::string(kLetters) + "._-") == std::string_view::npos;
}

Result<std::vector<TokenEntry>> load_tokens(const std::filesystem::path& file) {
    return load_entries<TokenEntry>(
        file, kTokenFileKeys, "tokens", [](const yaml::Node& node, std::string path, yaml::Problems& problems) {
            const yaml::MapReader map(node, std::move(path), kTokenKeys, problems);
            TokenEntry entry;
            entry.tenant = read_tenant(map);
            const auto hex = map.string("sha256");
            if (hex && !from_hex(*hex, entry.digest))
                map.problem("sha256", "must be 64 hex digits; `drover token add` writes them");
            entry.instances = map.string("instances").value_or("all");
            return entry;
        });
}

Result<std::vector<AccessKey>> load_access_keys(const std::filesystem::path& file) {
    return load_entries<AccessKey>(file, kKeyFileKeys, "access_keys",
                                   [](const yaml::Node& node, std::string path, yaml::Problems& problems) {
                                       const yaml::MapReader map(node, std::move(path), kAccessKeys, problems);
                                       AccessKey key;
                                       key.tenant = read_tenant(map);
                                       key.access = map.string("access").value_or("");
                                       key.secret = map.string("secret").value_or("");
                                       if (map.find("access") && key.access.empty()) map.problem("access", "is empty");
                                       if (map.find("secret") && key.secret.empty()) map.problem("secret", "is empty");
                                       key.instances = map.string("instances").value_or("all");
                                       return key;
                                   });
}

Result<void> save_tokens(const std::filesystem::path& file, const std::vector<TokenEntry>& tokens) {
    std::string text =
        "# Written by `drover token`. Tokens themselves are not kept, only their SHA-256.\nversion: 1\ntokens:\n";
    for (const auto& t : tokens) {
        text += fmt::format("  - tenant: {}\n    sha256: '{}'\n    instances: {}\n", yaml::quote(t.tenant),
                            to_hex(t.digest), yaml::quote(t.instances));
    }
    const auto fresh = file.string() + ".new";
    const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written =
        fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
    const int why = errno;
    if (fd >= 0) ::close(fd);
    if (!written || ::rename(fresh.c_str(), file.c_str()) != 0) {
        const auto reason = std::string(std::strerror(written ? errno : why));
        ::unlink(fresh.c_str());
        return fail(Code::output_not_written, fmt::format("{}: {}", file.string(), reason));
    }
    return {};
}

}  // namespace drover::http
