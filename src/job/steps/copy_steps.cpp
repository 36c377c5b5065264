// push and pull: files and directories of this host to a phone, and back.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "adb/sync.hpp"
#include "base/shell_quote.hpp"
#include "job/steps/file_steps.hpp"
#include "job/steps/kinds.hpp"
#include "transfer/operations.hpp"

namespace drover::job {
namespace {

constexpr Millis kCopyTimeout{600'000};

template <class T>
std::string previews(const std::vector<T>& all, const Scope& scope) {
    std::vector<std::string> words;
    for (const auto& one : all) words.push_back(shell_quote(one.preview(scope)));
    return fmt::format("{}", fmt::join(words, " "));
}

class PushAction final : public Action {
public:
    PushAction(std::vector<LocalPath> from, Template to, transfer::Compress compress)
        : from_(std::move(from)), to_(std::move(to)), compress_(compress) {}

    Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const override {
        auto from = expand_all(from_, context.scope);
        if (!from) return fail(Code::step_impossible, "from: " + from.error());
        auto to = to_.expand(context.scope);
        if (to && to->empty()) to = tl::unexpected(std::string("it is empty"));
        if (to && to->size() >= adb::kSyncPathBytesMax)
            to = tl::unexpected(
                fmt::format("a path of {} bytes, the limit is {}", to->size(), adb::kSyncPathBytesMax - 1));
        if (!to) return fail(Code::step_impossible, "to: " + to.error());
        transfer::PushOptions options;
        options.remote = *std::move(to);
        options.compress = compress_;
        PreparedOperation what;
        what.bulk = true;
        // For each phone anew: an earlier step may have made these files, and few phones have their turn at once.
        what.prepare = [&disk = context.files->disk, from = *std::move(from), options,
                        limits = transfer_limits(context, kTransferSilence)]() -> Result<dispatch::OperationFactory> {
            auto plan = transfer::plan_push(transfer::local_files(), from);
            if (!plan) return tl::unexpected(plan.error());
            return transfer::make_push(disk, std::make_shared<const transfer::PushPlan>(std::move(*plan)), options,
                                       limits);
        };
        return std::make_unique<OperationActivity>(context, std::move(what));
    }
    std::string describe(const Scope& scope, std::string_view) const override {
        return fmt::format("push {} {}", previews(from_, scope), shell_quote(to_.preview(scope)));
    }
    void each_template(const std::function<void(const Template&)>& tell) const override {
        for (const auto& path : from_) tell(path.text());
        tell(to_);
    }
    std::optional<Millis> usual_timeout() const override { return kCopyTimeout; }
    bool needs_files() const override { return true; }
    std::vector<std::string> sources() const override { return literals_of(from_); }

private:
    const std::vector<LocalPath> from_;
    const Template to_;
    const transfer::Compress compress_;
};

class PullAction final : public Action {
public:
    PullAction(std::vector<Template> from, KeepPlace to, transfer::Compress compress)
        : from_(std::move(from)), to_(std::move(to)), compress_(compress) {}

    Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const override {
        auto from = expand_all(from_, context.scope);
        if (!from) return fail(Code::step_impossible, "from: " + from.error());
        transfer::PullOptions options{*std::move(from), compress_};
        const auto names = transfer::pull_names(options.remotes);
        if (!names) return fail(Code::step_impossible, names.error().message);
        const auto place = to_.of(context);
        if (!place) return fail(Code::step_impossible, place.error());
        PreparedOperation what;
        what.bulk = true;
        what.files = place->files(*names);
        what.prepare = [&disk = context.files->disk, options = std::move(options), names = *names,
                        directory = place->directory,
                        limits = transfer_limits(context, kTransferSilence)]() -> Result<dispatch::OperationFactory> {
            if (auto made = make_directories(directory.parent_path()); !made) return tl::unexpected(made.error());
            return transfer::make_pull(
                disk, options, names, [directory](const Instance&) { return directory; }, limits);
        };
        return std::make_unique<OperationActivity>(context, std::move(what));
    }
    std::string describe(const Scope& scope, std::string_view) const override {
        return fmt::format("pull {} into {}", previews(from_, scope), to_.preview(scope));
    }
    void each_template(const std::function<void(const Template&)>& tell) const override {
        for (const auto& text : from_) tell(text);
        to_.each_template(tell);
    }
    std::optional<Millis> usual_timeout() const override { return kCopyTimeout; }
    bool needs_files() const override { return true; }
    bool needs_artifacts() const override { return !to_.is_named(); }

private:
    const std::vector<Template> from_;
    const KeepPlace to_;
    const transfer::Compress compress_;
};

// What is wrong already, whatever the phone.
bool check_names(const std::vector<Template>& remotes, yaml::Mark mark, const std::string& path, FileReader& reader) {
    std::vector<std::string> texts;
    for (const auto& remote : remotes) {
        if (auto text = literal_of(remote)) texts.push_back(*std::move(text));
    }
    const auto names = transfer::pull_names(texts);
    if (!names) reader.problems().add(mark, path, names.error().message);
    return names.has_value();
}

}  // namespace

std::shared_ptr<const Action> read_push(const yaml::Node& value, const std::string& path, FileReader& reader) {
    const yaml::MapReader map(value, path, kPushKeys, reader.problems());
    const auto* from = map.find("from");
    const auto* to = map.find("to");
    const auto compress = read_compress(map, transfer::Compress::automatic);
    auto paths = from ? read_local_paths(*from, map.path_of("from"), reader) : std::nullopt;
    auto remote = to ? reader.read_template(*to, map.path_of("to"), Template::Use::plain) : std::nullopt;
    if (!paths || !remote || !compress) return nullptr;
    return std::make_shared<const PushAction>(*std::move(paths), *std::move(remote), *compress);
}

std::shared_ptr<const Action> read_pull(const yaml::Node& value, const std::string& path, FileReader& reader) {
    if (!value.is_map()) {
        auto from = read_texts(value, path, reader);
        if (!from || !check_names(*from, value.mark, path, reader)) return nullptr;
        return std::make_shared<const PullAction>(*std::move(from), KeepPlace(), transfer::Compress::none);
    }
    const yaml::MapReader map(value, path, kPullKeys, reader.problems());
    const auto* from = map.find("from");
    auto texts = from ? read_texts(*from, map.path_of("from"), reader) : std::nullopt;
    const auto to = read_keep_place(map, reader);
    const auto compress = read_compress(map, transfer::Compress::none);
    if (!texts || !to || !compress || !check_names(*texts, from->mark, map.path_of("from"), reader)) return nullptr;
    return std::make_shared<const PullAction>(*std::move(texts), *to, *compress);
}

}  // namespace drover::job
