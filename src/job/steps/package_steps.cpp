// install and uninstall: apps on a phone.
#include <fmt/format.h>

#include "base/shell_quote.hpp"
#include "job/steps/file_steps.hpp"
#include "job/steps/kinds.hpp"
#include "transfer/install.hpp"

namespace drover::job {
namespace {

constexpr Millis kUsualInstall{600'000}, kUsualUninstall{60'000};
// The package manager checks and compiles an app after its last byte, and says nothing meanwhile.
constexpr Millis kInstallSilence{300'000};

class InstallAction final : public Action {
public:
    InstallAction(std::vector<LocalPath> apks, transfer::InstallOptions options, std::optional<Template> same = {})
        : apks_(std::move(apks)), options_(std::move(options)), same_(std::move(same)) {}

    Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const override {
        auto apks = expand_all(apks_, context.scope);
        if (!apks) return fail(Code::step_impossible, "apk: " + apks.error());
        auto options = options_;
        if (same_) {
            const auto package = same_->expand(context.scope);
            if (!package) return fail(Code::step_impossible, "skip-same: " + package.error());
            if (!transfer::valid_package(*package))
                return fail(Code::step_impossible, fmt::format("skip-same: '{}' is no package name", *package));
            options.skip_same = transfer::InstallOptions::Same{*package, {}};
        }
        PreparedOperation what;
        what.bulk = true;
        what.prepare = [&disk = context.files->disk, digests = context.files->digests, apks = *std::move(apks),
                        options = std::move(options),
                        limits =
                            transfer_limits(context, kInstallSilence)]() mutable -> Result<dispatch::OperationFactory> {
            auto plan = transfer::plan_install(apks);
            if (!plan) return tl::unexpected(plan.error());
            for (const auto& apk : options.skip_same ? apks : std::vector<std::string>()) {
                auto digest = digests->sha256(apk);
                if (!digest) return tl::unexpected(digest.error());
                options.skip_same->digests.push_back(*std::move(digest));
            }
            return transfer::make_install(disk, *std::move(plan), options, limits);
        };
        return std::make_unique<OperationActivity>(context, std::move(what));
    }
    std::string describe(const Scope& scope, std::string_view) const override {
        std::string out = "install";
        if (options_.replace) out += " -r";
        if (options_.downgrade) out += " -d";
        if (options_.grant) out += " -g";
        for (const auto& apk : apks_) out += ' ' + shell_quote(apk.preview(scope));
        if (same_) out += fmt::format(", unless {} is just that", same_->preview(scope));
        return out;
    }
    void each_template(const std::function<void(const Template&)>& tell) const override {
        for (const auto& apk : apks_) tell(apk.text());
        if (same_) tell(*same_);
    }
    std::optional<Millis> usual_timeout() const override { return kUsualInstall; }
    bool needs_files() const override { return true; }
    std::vector<std::string> sources() const override { return literals_of(apks_); }

private:
    const std::vector<LocalPath> apks_;
    const transfer::InstallOptions options_;
    const std::optional<Template> same_;  // the name of the app
};

class UninstallAction final : public Action {
public:
    UninstallAction(Template package, bool keep_data) : package_(std::move(package)), keep_data_(keep_data) {}

    Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const override {
        const auto package = package_.expand(context.scope);
        if (!package) return fail(Code::step_impossible, package.error());
        if (!transfer::valid_package(*package))
            return fail(Code::step_impossible, fmt::format("'{}' is no package name", *package));
        PreparedOperation what;
        what.prepare = [&disk = context.files->disk, package = *package, keep_data = keep_data_,
                        limits = transfer_limits(context, kTransferSilence)]() -> Result<dispatch::OperationFactory> {
            return transfer::make_uninstall(disk, package, keep_data, limits);
        };
        return std::make_unique<OperationActivity>(context, std::move(what));
    }
    std::string describe(const Scope& scope, std::string_view) const override {
        return fmt::format("pm uninstall{} {}", keep_data_ ? " -k" : "", package_.preview(scope));
    }
    void each_template(const std::function<void(const Template&)>& tell) const override { tell(package_); }
    std::optional<Millis> usual_timeout() const override { return kUsualUninstall; }
    bool needs_files() const override { return true; }

private:
    const Template package_;
    const bool keep_data_;
};

std::optional<Template> read_package(const yaml::Node& node, const std::string& path, FileReader& reader) {
    auto package = reader.read_template(node, path, Template::Use::plain);
    if (!package) return std::nullopt;
    const auto text = literal_of(*package);
    if (!text || transfer::valid_package(*text)) return package;
    reader.problems().add(node.mark, path,
                          fmt::format("'{}' is no package name; one looks like com.example.app", *text));
    return std::nullopt;
}

}  // namespace

std::shared_ptr<const Action> read_install(const yaml::Node& value, const std::string& path, FileReader& reader) {
    if (!value.is_map()) {
        auto apks = read_local_paths(value, path, reader);
        return apks ? std::make_shared<const InstallAction>(*std::move(apks), transfer::InstallOptions()) : nullptr;
    }
    const yaml::MapReader map(value, path, kInstallKeys, reader.problems());
    transfer::InstallOptions options;
    options.replace = map.boolean("replace").value_or(false);
    options.downgrade = map.boolean("downgrade").value_or(false);
    options.grant = map.boolean("grant").value_or(false);
    const auto* apk = map.find("apk");
    auto apks = apk ? read_local_paths(*apk, map.path_of("apk"), reader) : std::nullopt;
    std::optional<Template> same;
    if (const auto* name = map.find("skip-same")) {
        same = read_package(*name, map.path_of("skip-same"), reader);
        if (!same) return nullptr;
    }
    return apks ? std::make_shared<const InstallAction>(*std::move(apks), options, std::move(same)) : nullptr;
}

std::shared_ptr<const Action> read_uninstall(const yaml::Node& value, const std::string& path, FileReader& reader) {
    const auto* name = &value;
    auto where = path;
    bool keep_data = false;
    if (value.is_map()) {
        const yaml::MapReader map(value, path, kUninstallKeys, reader.problems());
        name = map.find("package");
        where = map.path_of("package");
        keep_data = map.boolean("keep-data").value_or(false);
        if (!name) return nullptr;
    }
    auto package = read_package(*name, where, reader);
    if (!package) return nullptr;
    return std::make_shared<const UninstallAction>(*std::move(package), keep_data);
}

}  // namespace drover::job
