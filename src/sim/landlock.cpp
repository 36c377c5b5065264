// Landlock by bare system calls: Debian 12's headers end at version 2 of it, newer kernels offer more
// (reference: Linux Documentation/userspace-api/landlock.rst).
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sim/sandbox.hpp"

namespace drover::sim {
namespace {

constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr unsigned kVersionFlag = 1;
constexpr int kRulePathBeneath = 1;

constexpr std::uint64_t kExecute = 1 << 0;
constexpr std::uint64_t kWriteFile = 1 << 1;
constexpr std::uint64_t kReadFile = 1 << 2;
constexpr std::uint64_t kReadDir = 1 << 3;
constexpr std::uint64_t kAllOfVersion1 = (1 << 13) - 1;
constexpr std::uint64_t kMakeCharDevice = 1 << 6;
constexpr std::uint64_t kMakeSocket = 1 << 9;
constexpr std::uint64_t kMakeBlockDevice = 1 << 11;
constexpr std::uint64_t kRefer = 1 << 13;        // version 2
constexpr std::uint64_t kTruncate = 1 << 14;     // version 3
constexpr std::uint64_t kIoctlDevice = 1 << 15;  // version 5
constexpr std::uint64_t kFileOnly = kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDevice;
constexpr std::uint64_t kTcpBindConnect = 3;            // version 4
constexpr std::uint64_t kScopeAbstractSocket = 1 << 0;  // version 6
constexpr std::uint64_t kScopeSignal = 1 << 1;          // version 6

struct RulesetAttr {
    std::uint64_t fs = 0;
    std::uint64_t net = 0;
    std::uint64_t scoped = 0;
};

struct [[gnu::packed]] PathBeneathAttr {
    std::uint64_t access;
    std::int32_t fd;
};

std::uint64_t known_rights(int abi) {
    std::uint64_t rights = kAllOfVersion1;
    if (abi >= 2) rights |= kRefer;
    if (abi >= 3) rights |= kTruncate;
    if (abi >= 5) rights |= kIoctlDevice;
    return rights;
}

std::uint64_t rights_for(Access access) {
    switch (access) {
        case Access::read: return kReadFile | kReadDir;
        case Access::execute: return kReadFile | kReadDir | kExecute;
        case Access::device: return kReadFile | kWriteFile | kTruncate;
        case Access::all: return ~(kMakeCharDevice | kMakeBlockDevice | kMakeSocket | kIoctlDevice);
    }
    return 0;
}

}  // namespace

int landlock_abi() {
    const long abi = ::syscall(kCreateRuleset, nullptr, 0, kVersionFlag);
    return abi > 0 ? static_cast<int>(abi) : 0;
}

PathRule path_rule(const std::string& path, Access access, int abi) {
    PathRule rule;
    if (abi == 0) return rule;
    rule.fd = UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC));
    rule.access = rights_for(access) & known_rights(abi);
    UniqueFd as_directory(::open(path.c_str(), O_PATH | O_CLOEXEC | O_DIRECTORY));
    if (!as_directory) rule.access &= kFileOnly;
    return rule;
}

Result<UniqueFd> make_ruleset(int abi, const std::vector<PathRule>& shared, const std::string& own_directory,
                              bool scope_signals) {
    if (abi == 0) return UniqueFd();
    RulesetAttr attr;
    attr.fs = known_rights(abi);
    std::size_t size = sizeof attr.fs;
    if (abi >= 4) {
        attr.net = kTcpBindConnect;
        size = 2 * sizeof attr.fs;
    }
    if (abi >= 6) {
        attr.scoped = kScopeAbstractSocket | (scope_signals ? kScopeSignal : 0);
        size = sizeof attr;
    }
    UniqueFd ruleset(static_cast<int>(::syscall(kCreateRuleset, &attr, size, 0)));
    if (!ruleset) return fail(Code::out_of_resources, std::string("Landlock ruleset: ") + std::strerror(errno));
    const auto add = [&ruleset](const PathRule& rule) {
        const PathBeneathAttr beneath{rule.access, rule.fd.get()};
        return ::syscall(kAddRule, ruleset.get(), kRulePathBeneath, &beneath, 0) == 0;
    };
    for (const PathRule& rule : shared) {
        if (rule.fd && !add(rule))
            return fail(Code::out_of_resources, std::string("Landlock rule: ") + std::strerror(errno));
    }
    const PathRule own = path_rule(own_directory, Access::all, abi);
    if (!own.fd || !add(own)) {
        return fail(Code::out_of_resources, "Landlock rule for " + own_directory + ": " + std::strerror(errno));
    }
    return ruleset;
}

}  // namespace drover::sim
