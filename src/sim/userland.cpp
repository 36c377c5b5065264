#include "sim/userland.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "sim/os_error.hpp"
#include "sim/toybox.hpp"
#include "sim/userland_programs.hpp"

namespace drover::sim {
namespace fs = std::filesystem;
namespace {

// Numbers nobody uses: above the range containers get from the system, below 2^31 (reference: systemd's UIDS-GIDS.md).
// Two fleets on one host get different ones.
constexpr uid_t kFirstUid = 1'879'048'192;
constexpr uid_t kUidsPerFleet = 16'384;
constexpr uid_t kFleets = 16'000;
constexpr uid_t kNobody = 65'534;

// Whether this process may become other users: false in a container whose user namespace has no such number.
bool may_become(uid_t uid) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(::setgid(uid) == 0 && ::setuid(uid) == 0 ? 0 : 1);
    int status = 1;
    return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

std::string find_program(const char* name) {
    for (const char* folder : {"/usr/bin", "/bin", "/usr/local/bin"}) {
        const fs::path path = fs::path(folder) / name;
        if (::access(path.c_str(), X_OK) == 0) {
            std::error_code ec;
            const fs::path real = fs::canonical(path, ec);
            return ec ? path.string() : real.string();
        }
    }
    return {};
}

bool write_file(int directory, const std::string& name, std::string_view text, mode_t mode) {
    UniqueFd fd(::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
           ::fchmod(fd.get(), mode) == 0;
}

}  // namespace

Result<std::shared_ptr<Userland>> Userland::create() {
    std::shared_ptr<Userland> u(new Userland);
    u->as_root_ = ::geteuid() == 0;
    auto root = ScratchRoot::create(u->as_root_);
    if (!root) return tl::unexpected(root.error());
    u->root_ = std::move(*root);
    u->shell_ = find_program("mksh");
    u->toybox_ = find_program("toybox");
    if (u->shell_.empty() || u->toybox_.empty()) {
        u->refusal_ = "this host has no mksh and toybox: install the packages mksh and toybox";
        return u;
    }
    const auto applets = toybox_applets(u->toybox_);
    if (!applets) {
        u->refusal_ = applets.error().message;
        return u;
    }
    if (auto filled = u->fill_bin(*applets); !filled) return tl::unexpected(filled.error());
    u->find_walls();
    return u;
}

Userland::~Userland() = default;

Result<void> Userland::fill_bin(const std::set<std::string>& applets) {
    if (::mkdir(bin().c_str(), 0755) != 0 || ::chmod(bin().c_str(), 0755) != 0) return tl::unexpected(os_error(bin()));
    UniqueFd folder(::open(bin().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    for (const Program& program : programs()) {
        const std::string text = fmt::format("#!{}\n{}", shell_, program.text);
        if (!write_file(folder.get(), std::string(program.name), text, 0755)) return tl::unexpected(os_error(bin()));
    }
    if (!as_root_) {
        for (const Program& program : unprivileged_programs()) {
            const std::string text = fmt::format("#!{}\n{}", shell_, program.text);
            if (!write_file(folder.get(), std::string(program.name), text, 0755))
                return tl::unexpected(os_error(bin()));
        }
    }
    for (const std::string_view applet : allowed_applets()) {
        // What this host's toybox lacks is not found, rather than found and unknown.
        if (!applets.contains(std::string(applet))) continue;
        if (::symlinkat(toybox_.c_str(), folder.get(), std::string(applet).c_str()) != 0 && errno != EEXIST) {
            return tl::unexpected(os_error(bin()));
        }
    }
    for (const char* name : {"sh", "mksh"}) {
        if (::symlinkat(shell_.c_str(), folder.get(), name) != 0) return tl::unexpected(os_error(bin()));
    }
    return {};
}

void Userland::find_walls() {
    abi_ = landlock_abi();
    first_uid_ = kFirstUid + (static_cast<uid_t>(::getpid()) % kFleets) * kUidsPerFleet;
    own_users_ = as_root_ && may_become(first_uid_);
    if (as_root_ && !own_users_) {
        first_uid_ = kNobody;
        if (!may_become(kNobody)) refusal_ = "drover runs as root and cannot become another user here";
    }
    if (!as_root_ && abi_ == 0)
        refusal_ = "this kernel has no Landlock and drover does not run as root: nothing would keep commands inside";
    const bool shared_user = !own_users_;
    const bool scope = shared_user && abi_ >= 6;
    if (shared_user) {
        // The limit counts everything this user runs, so it cannot be small here.
        limits_.processes_max = 4096;
    }
    for (const char* path : {"/usr", "/lib", "/lib64", "/proc", "/etc/ld.so.cache", "/etc/passwd", "/etc/group",
                             "/etc/localtime", "/etc/nsswitch.conf", "/sys/devices/system/cpu"}) {
        shared_rules_.push_back(path_rule(path, Access::read, abi_));
    }
    for (const char* path : {"/dev/null", "/dev/zero", "/dev/full"})
        shared_rules_.push_back(path_rule(path, Access::device, abi_));
    for (const char* path : {"/dev/urandom", "/dev/random"})
        shared_rules_.push_back(path_rule(path, Access::read, abi_));
    for (const std::string& path :
         {shell_, toybox_, bin(), std::string("/lib64/ld-linux-x86-64.so.2"), std::string("/lib/ld-linux-aarch64.so.1"),
          std::string("/lib/ld-musl-x86_64.so.1")}) {
        shared_rules_.push_back(path_rule(path, Access::execute, abi_));
    }
    filter_ = make_filter({.own_user = as_root_, .refuse_kill = shared_user && !scope});
}

Result<std::shared_ptr<Home>> Userland::home(const std::string& id, std::uint32_t number,
                                             const std::map<std::string, std::string>& properties,
                                             const std::vector<std::string>& packages) {
    auto& slot = homes_[number];
    if (slot) return slot;
    const std::string directory = (root_.path() / id).string();
    const uid_t uid = own_users_ ? first_uid_ + number : first_uid_;
    if (::mkdir(directory.c_str(), 0700) != 0) return tl::unexpected(os_error(directory));
    UniqueFd top(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    const auto give = [&](const char* name) {
        return !as_root_ || ::fchownat(top.get(), name, uid, uid, AT_SYMLINK_NOFOLLOW) == 0;
    };
    for (const char* folder :
         {"data", "data/local", "data/local/tmp", "sdcard", "tmp", ".vphone", ".vphone/props", ".vphone/settings"}) {
        if (::mkdirat(top.get(), folder, 0700) != 0 || !give(folder)) return tl::unexpected(os_error(directory));
    }
    // Few files: a phone's first command waits for them.
    std::string base, names;
    for (const auto& [name, value] : properties) base += fmt::format("{}={}\n", name, value);
    for (const auto& package : packages) names += package + "\n";
    if (!write_file(top.get(), ".vphone/build.prop", base, 0644) ||
        !write_file(top.get(), ".vphone/packages", names, 0644) ||
        ::mkfifoat(top.get(), ".vphone/control", 0600) != 0 || !give(".vphone/packages") || !give(".vphone/control")) {
        return tl::unexpected(os_error(directory));
    }
    UniqueFd control(::openat(top.get(), ".vphone/control", O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    UniqueFd props(::openat(top.get(), ".vphone/props", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!control || !props) return tl::unexpected(os_error(directory));
    auto made = std::make_shared<Home>(directory, std::move(props), std::move(control), uid);
    // Last: until here nobody else can look inside.
    if (as_root_ && ::fchown(top.get(), uid, uid) != 0) return tl::unexpected(os_error(directory));
    slot = made;
    return made;
}

Result<UniqueFd> Userland::ruleset(const Home& home) const {
    const bool scope = !own_users_;
    return make_ruleset(abi_, shared_rules_, home.directory(), scope);
}

Sandbox Userland::sandbox(const Home& home, int ruleset_fd) const {
    Sandbox s;
    s.drop_user = as_root_;
    s.uid = home.uid();
    s.limits = limits_;
    s.ruleset_fd = ruleset_fd;
    s.filter = &filter_;
    return s;
}

}  // namespace drover::sim
