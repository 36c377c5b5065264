// What a phone's commands find on the host: mksh, a folder of allow-listed toybox applets and of small programs that
// stand for Android's own, and a private directory per phone. Everything lies in one fresh directory under TMPDIR or
// /tmp, which is removed at the end.
//
// create(), home() and the destructor touch the file system: the spawner's thread and start-up only. What create()
// returns is immutable but for the homes.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "drover/error.hpp"
#include "sim/disk_budget.hpp"
#include "sim/sandbox.hpp"
#include "sim/scratch_root.hpp"

struct sock_filter;

namespace drover::sim {

// The private directory of one phone, and its property files. Any one thread at a time.
class Home {
public:
    Home(std::string directory, UniqueFd properties, UniqueFd control, uid_t uid);

    const std::string& directory() const { return directory_; }
    uid_t uid() const { return uid_; }
    // A pipe on which the phone's programs ask for a reboot; read end, never blocks.
    int control_fd() const { return control_.get(); }

    // A property that was set since the directory was made; the others stand in build.prop. Never follows a link and
    // never blocks: the phone's own commands may put anything there.
    std::optional<std::string> read_property(std::string_view name) const;
    void write_property(std::string_view name, std::string_view value);

private:
    std::string directory_;
    UniqueFd properties_;
    UniqueFd control_;
    uid_t uid_;
};

class Userland {
public:
    // Fails only when not even a directory can be made. Without mksh or toybox, or where nothing could keep a command
    // inside, refusal() says why commands are refused.
    static Result<std::shared_ptr<Userland>> create();
    ~Userland();
    Userland(const Userland&) = delete;
    Userland& operator=(const Userland&) = delete;

    const std::string& refusal() const { return refusal_; }
    const std::string& shell() const { return shell_; }
    std::string bin() const { return (root_.path() / "bin").string(); }

    // Made on first use.
    Result<std::shared_ptr<Home>> home(const std::string& id, std::uint32_t number,
                                       const std::map<std::string, std::string>& properties,
                                       const std::vector<std::string>& packages);
    // Whether there is room for another command.
    Result<void> check_room(const Home& home) const { return check_disk(home.directory(), DiskBudget{}); }
    // The walls for a command of this phone; the ruleset must live until the child has started.
    Result<UniqueFd> ruleset(const Home& home) const;
    Sandbox sandbox(const Home& home, int ruleset_fd) const;

private:
    Userland() = default;
    Result<void> fill_bin(const std::set<std::string>& applets);
    void find_walls();

    ScratchRoot root_;
    std::string shell_;
    std::string toybox_;
    std::string refusal_;
    int abi_ = 0;
    bool as_root_ = false;
    bool own_users_ = false;  // each phone has a user of its own
    uid_t first_uid_ = 0;
    SandboxLimits limits_;
    std::vector<PathRule> shared_rules_;
    std::vector<sock_filter> filter_;
    std::map<std::uint32_t, std::shared_ptr<Home>> homes_;
};

}  // namespace drover::sim
