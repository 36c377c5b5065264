#include "transfer/install.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/ascii.hpp"
#include "base/shell_quote.hpp"
#include "transfer/shell_task.hpp"

namespace drover::transfer {
namespace {

std::string one_line(std::string text) {
    text.resize(text.find_last_not_of("\r\n ") + 1);
    std::replace(text.begin(), text.end(), '\n', ' ');
    std::erase(text, '\r');
    return text;
}

bool says_success(const std::string& text) {
    return text.starts_with("Success") || text.find("\nSuccess") != std::string::npos;
}

// A program of the phone that may be given one file, and says Success or why not.
class PackageTask final : public StreamTask {
public:
    static constexpr std::size_t kReplyBytesMax = 16 * 1024;

    // reply: where its words go, for the script.
    PackageTask(std::optional<Apk> apk, std::shared_ptr<std::string> reply)
        : apk_(std::move(apk)), reply_(std::move(reply)), left_(apk_ ? apk_->bytes : 0) {
        reply_->clear();
    }
    Result<void> feed(ByteView bytes) override {
        *reply_ += as_text(bytes.first(std::min(bytes.size(), kReplyBytesMax - reply_->size())));
        return {};
    }
    Result<void> produce(std::size_t room, Bytes& out) override {
        if (left_ == 0) return {};
        if (!reader_) {
            auto opened = local_files().open(apk_->path);
            if (!opened) return tl::unexpected(opened.error());
            reader_ = std::move(*opened);
        }
        out.resize(std::min<std::uint64_t>(room, left_));
        const auto n = reader_->read(out);
        if (!n) return tl::unexpected(n.error());
        if (*n == 0) return fail(Code::local_file, apk_->path + ": it has become shorter");
        out.resize(*n);
        left_ -= *n;
        return {};
    }
    bool done() const override { return false; }
    Result<void> on_closed() override { return {}; }
    Result<std::string> finish() override {
        if (says_success(*reply_)) return std::string("Success\n");
        const auto said = one_line(*reply_);
        return fail(Code::command_failed, said.empty() ? "the package manager said nothing" : said);
    }

private:
    const std::optional<Apk> apk_;
    const std::shared_ptr<std::string> reply_;
    std::unique_ptr<LocalReader> reader_;
    std::uint64_t left_;
};

std::string flags_of(const InstallOptions& options) {
    return fmt::format("{}{}{}", options.replace ? " -r" : "", options.downgrade ? " -d" : "",
                       options.grant ? " -g" : "");
}

// The packages that an app consists of on the phone, "DIGEST  FILE" each.
std::string compare_command(const std::string& package) {
    return fmt::format(R"(for f in $(pm path {}); do sha256sum "${{f#package:}}"; done 2>/dev/null; true)", package);
}

// What cannot be found out is not the same.
bool is_same(const Result<std::string>& text, std::vector<std::string> wanted) {
    constexpr std::size_t kDigits = 64;
    std::vector<std::string> found;
    for (std::string_view rest = text ? std::string_view(*text) : ""; !rest.empty();) {
        found.emplace_back(rest.substr(0, kDigits));
        rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
    }
    std::sort(found.begin(), found.end());
    std::sort(wanted.begin(), wanted.end());
    return found == wanted;
}

// A shell command of which Success is expected.
Result<std::optional<Leg>> success_leg(const adb::Peer& peer, const std::string& command) {
    auto leg = ShellTask::leg(peer, command, [](Result<std::string> text) -> Result<std::string> {
        if (!text) return text;
        if (says_success(*text)) return std::string("Success\n");
        return fail(Code::command_failed, one_line(*text));
    });
    if (!leg) return tl::unexpected(leg.error());
    return std::optional(std::move(*leg));
}

class InstallScript final : public Script {
public:
    InstallScript(std::vector<Apk> apks, InstallOptions options)
        : apks_(std::move(apks)), options_(std::move(options)) {}

    Result<std::optional<Leg>> next(const adb::Peer& peer) override {
        if (options_.skip_same && !std::exchange(compared_, true)) {
            const auto& [package, digests] = *options_.skip_same;
            auto leg = ShellTask::leg(peer, compare_command(package),
                                      [same = same_, digests = digests](auto text) -> Result<std::string> {
                                          *same = is_same(text, digests);
                                          return std::string(*same ? "the same is installed already\n" : "");
                                      });
            if (!leg) return tl::unexpected(leg.error());
            return std::optional(std::move(*leg));
        }
        if (*same_) return std::nullopt;
        const std::size_t step = step_++;
        if (!peer.features.has("cmd")) return from_file(step, peer);
        if (apks_.size() > 1) return session(step);
        if (step > 0) return std::nullopt;
        return leg(fmt::format("install{} -S {}", flags_of(options_), apks_[0].bytes), apks_[0]);
    }

    std::optional<std::string> clean_up() override {
        if (!remote_.empty()) return "rm -f " + shell_quote(remote_);
        if (!session_.empty()) return "cmd package install-abandon " + session_;
        return std::nullopt;
    }

private:
    Leg leg(const std::string& words, std::optional<Apk> apk) {
        return {"exec:cmd package " + words, std::make_unique<PackageTask>(std::move(apk), reply_)};
    }

    Result<std::optional<Leg>> session(std::size_t step) {
        if (step == 0) {
            std::uint64_t total = 0;
            for (const auto& apk : apks_) total += apk.bytes;
            return leg(fmt::format("install-create{} -S {}", flags_of(options_), total), std::nullopt);
        }
        if (step == 1) {  // "Success: created install session [1234]"
            constexpr std::size_t kDigitsMax = 10;
            const auto open = reply_->find('['), close = reply_->find(']');
            if (open != std::string::npos && close != std::string::npos && close > open)
                session_ = reply_->substr(open + 1, close - open - 1);
            const bool number = std::all_of(session_.begin(), session_.end(), is_digit);
            if (session_.empty() || session_.size() > kDigitsMax || !number) {
                session_.clear();
                return fail(Code::command_failed, "no session number in: " + one_line(*reply_));
            }
        }
        if (step <= apks_.size()) {
            const Apk& apk = apks_[step - 1];
            return leg(fmt::format("install-write -S {} {} {} -", apk.bytes, session_, shell_quote(apk.name)), apk);
        }
        if (step == apks_.size() + 1) return leg("install-commit " + session_, std::nullopt);
        session_.clear();
        return std::nullopt;
    }

    Result<std::optional<Leg>> from_file(std::size_t step, const adb::Peer& peer) {
        if (apks_.size() > 1) return fail(Code::not_supported, "this phone is too old for an app of several packages");
        if (step == 0) {
            const std::string marker = adb::random_marker();
            auto plan = plan_push(local_files(), {apks_[0].path});
            if (marker.empty() || !plan) return fail(Code::local_file, apks_[0].path + ": cannot be read");
            remote_ = "/data/local/tmp/drover-" + marker.substr(0, 16) + ".apk";
            PushOptions push;
            push.remote = remote_;
            push.compress = Compress::none;
            return Leg{"sync:", std::make_unique<PushTask>(std::make_shared<const PushPlan>(std::move(*plan)), push,
                                                           adb::SyncFeatures::of(peer.features), local_files(),
                                                           std::make_shared<EmptyDirectories>())};
        }
        // Old package managers end with 0 whatever happened.
        if (step == 1)
            return success_leg(peer, fmt::format("pm install{} {}", flags_of(options_), shell_quote(remote_)));
        if (step == 2) return success_leg(peer, "rm -f " + shell_quote(remote_) + " && echo Success");
        remote_.clear();
        return std::nullopt;
    }

    const std::vector<Apk> apks_;
    const InstallOptions options_;
    bool compared_ = false;
    const std::shared_ptr<bool> same_ = std::make_shared<bool>(false);
    std::size_t step_ = 0;
    const std::shared_ptr<std::string> reply_ = std::make_shared<std::string>();
    std::string session_;
    std::string remote_;
};

class UninstallScript final : public Script {
public:
    explicit UninstallScript(std::string command) : command_(std::move(command)) {}
    Result<std::optional<Leg>> next(const adb::Peer& peer) override {
        if (std::exchange(sent_, true)) return std::nullopt;
        return success_leg(peer, command_);
    }

private:
    const std::string command_;
    bool sent_ = false;
};

}  // namespace

Result<std::vector<Apk>> plan_install(const std::vector<std::string>& paths) {
    std::vector<Apk> apks;
    for (const auto& path : paths) {
        const auto entries = local_files().walk(path);
        if (!entries) return tl::unexpected(entries.error());
        const LocalEntry& file = entries->front();
        if (file.kind != LocalEntry::Kind::file || file.bytes == 0)
            return fail(Code::local_file, path + ": no package, but a directory or an empty file");
        apks.push_back({path, std::filesystem::path(path).filename().string(), file.bytes});
    }
    return apks;
}

std::unique_ptr<Script> install_script(std::vector<Apk> apks, InstallOptions options) {
    return std::make_unique<InstallScript>(std::move(apks), std::move(options));
}

dispatch::OperationFactory make_install(WorkPool& pool, std::vector<Apk> apks, InstallOptions options,
                                        TransferLimits limits) {
    return [&pool, apks = std::move(apks), options, limits](fleet::Phone& phone, dispatch::OperationOwner& owner,
                                                            std::size_t) {
        return std::make_unique<StreamOperation>(phone, owner, pool, install_script(apks, options), limits);
    };
}

bool valid_package(std::string_view name) {
    constexpr std::size_t kBytesMax = 255;
    const auto fits = [](char c) { return is_alnum(c) || c == '.' || c == '_'; };
    return !name.empty() && name.size() <= kBytesMax && std::all_of(name.begin(), name.end(), fits);
}

dispatch::OperationFactory make_uninstall(WorkPool& pool, std::string package, bool keep_data, TransferLimits limits) {
    const std::string command = fmt::format("pm uninstall{} {}", keep_data ? " -k" : "", package);
    return [&pool, command, limits](fleet::Phone& phone, dispatch::OperationOwner& owner, std::size_t) {
        return std::make_unique<StreamOperation>(phone, owner, pool, std::make_unique<UninstallScript>(command),
                                                 limits);
    };
}

}  // namespace drover::transfer
