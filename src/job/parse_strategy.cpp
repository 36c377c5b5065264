#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "job/keys.hpp"
#include "job/parse_file.hpp"

namespace drover::job {
namespace {

constexpr std::int64_t kPhonesMax = 1'000'000;

}  // namespace

void FileParser::read_secrets(const yaml::Node& node) {
    if (!node.is_map()) {
        problems_.add(node.mark, "secrets", fmt::format("a map is wanted, this is {}", to_string(node.kind)));
        return;
    }
    // Positions are those of the whole job; names of other files stay unknown here.
    names_.secrets.resize(out_.secrets.size());
    for (const auto& entry : node.entries) read_secret(entry);
}

void FileParser::read_secret(const yaml::Entry& entry) {
    const auto path = fmt::format("secrets.{}", entry.key);
    if (!valid_var_name(entry.key)) {
        problems_.add(entry.key_mark, "secrets",
                      fmt::format("'{}' is not a name: letters, digits, _ and -, the first a letter or _", entry.key));
    }
    const yaml::MapReader map(entry.value, path, kSecretKeys, problems_);
    if (!map.is_map()) return;
    Secret secret;
    secret.name = entry.key;
    secret.env = map.string("env").value_or("");
    const auto file = map.string("file").value_or("");
    if (secret.env.empty() == file.empty()) {
        problems_.add(map.mark(), path,
                      "one of 'env' and 'file' is wanted; the value itself never stands in a job file");
        return;
    }
    if (!secret.env.empty() && !valid_env_name(secret.env))
        map.problem(
            "env", fmt::format("'{}' is not a variable's name: letters, digits and _, the first no digit", secret.env));
    if (!file.empty()) secret.file = std::filesystem::path(source_.file).parent_path() / file;
    if (out_.secrets.size() == kSecretsMax) {
        problems_.add(entry.key_mark, "secrets", fmt::format("more than {} secrets", kSecretsMax));
        return;
    }
    out_.secrets.push_back(std::move(secret));
    names_.secrets.push_back(entry.key);
}

void FileParser::read_strategy(const yaml::Node& node) {
    const yaml::MapReader map(node, "strategy", kStrategyKeys, problems_);
    if (!map.is_map()) return;
    if (use_) return;  // of the job that uses this file
    auto& strategy = out_.strategy;
    if (const auto n = map.integer("max-parallel", 1, kPhonesMax)) strategy.max_parallel = static_cast<std::size_t>(*n);
    strategy.fail_fast = map.boolean("fail-fast").value_or(false);
    strategy.sync_steps = map.word("sync", {"step"}).has_value();
    if (const auto* matrix = map.find("matrix")) read_matrix(*matrix);
    if (const auto* rollout = map.find("rollout")) read_rollout(*rollout);
    if (const auto* transfers = map.find("transfers")) read_transfers(*transfers);
    if (strategy.sync_steps && strategy.max_parallel > 0)
        map.problem("sync", "all phones go step by step together, so there can be no 'max-parallel'");
    if (strategy.sync_steps && !strategy.matrix.empty()) map.problem("sync", "does not go with 'matrix'");
}

void FileParser::read_transfers(const yaml::Node& node) {
    const yaml::MapReader map(node, "strategy.transfers", kTransfersKeys, problems_);
    if (!map.is_map()) return;
    TransferTurns turns;
    if (const auto n = map.integer("per-host", 1, kPhonesMax)) turns.per_host = static_cast<std::size_t>(*n);
    if (const auto n = map.integer("per-hub", 1, kPhonesMax)) turns.per_hub = static_cast<std::size_t>(*n);
    out_.strategy.transfers = turns;
}

void FileParser::read_matrix(const yaml::Node& node) {
    auto& strategy = out_.strategy;
    if (!node.is_map() || node.entries.empty()) {
        problems_.add(node.mark, "strategy.matrix", "a map of names to lists of values is wanted");
        return;
    }
    std::vector<std::vector<std::string>> combinations(1);
    for (const auto& entry : node.entries) {
        const auto path = fmt::format("strategy.matrix.{}", entry.key);
        if (!valid_var_name(entry.key)) {
            problems_.add(
                entry.key_mark, "strategy.matrix",
                fmt::format("'{}' is not a name: letters, digits, _ and -, the first a letter or _", entry.key));
        }
        const auto values = yaml::read_strings(entry.value, path, problems_);
        if (!values) return;
        if (values->empty()) {
            problems_.add(entry.value.mark, path, "at least one value is wanted");
            return;
        }
        if (combinations.size() * values->size() > kCombinationsMax) {
            problems_.add(node.mark, "strategy.matrix", fmt::format("more than {} combinations", kCombinationsMax));
            return;
        }
        std::vector<std::vector<std::string>> longer;
        for (const auto& combination : combinations) {
            for (const auto& value : *values) {
                longer.push_back(combination);
                longer.back().push_back(value);
            }
        }
        combinations = std::move(longer);
        strategy.matrix_keys.push_back(entry.key);
    }
    strategy.matrix = std::move(combinations);
    names_.matrix = strategy.matrix_keys;
}

void FileParser::read_rollout(const yaml::Node& node) {
    const yaml::MapReader map(node, "strategy.rollout", kRolloutKeys, problems_);
    if (!map.is_map()) return;
    Rollout rollout;
    rollout.pause = map.duration("pause");
    if (const auto* share = map.find("max-fail"))
        rollout.max_failed = read_share(*share, "strategy.rollout.max-fail", 0);
    if (const auto* share = map.find("max-lost")) rollout.max_lost = read_share(*share, "strategy.rollout.max-lost", 0);
    const auto* serial = map.find("serial");
    if (!serial) return;
    if (!serial->is_sequence() || serial->items.empty() || serial->items.size() > kBatchesMax) {
        problems_.add(
            serial->mark, "strategy.rollout.serial",
            fmt::format("a list of 1 to {} numbers or percentages is wanted, as in [1, 10%, 100%]", kBatchesMax));
        return;
    }
    for (std::size_t i = 0; i < serial->items.size(); ++i) {
        const auto share = read_share(serial->items[i], fmt::format("strategy.rollout.serial[{}]", i), 1);
        if (share) rollout.serial.push_back(*share);
    }
    out_.strategy.rollout = std::move(rollout);
}

std::optional<Share> FileParser::read_share(const yaml::Node& node, const std::string& path, std::size_t min) {
    constexpr std::size_t kPercentMax = 100;
    const auto text = yaml::read_string(node, path, problems_);
    if (!text) return std::nullopt;
    Share share;
    share.percent = text->ends_with('%');
    const auto* end = text->data() + text->size() - (share.percent ? 1 : 0);
    const auto [stopped, error] = std::from_chars(text->data(), end, share.number);
    const auto max = share.percent ? kPercentMax : static_cast<std::size_t>(kPhonesMax);
    if (error == std::errc() && stopped == end && share.number >= min && share.number <= max) return share;
    constexpr std::size_t kShownMax = 40;
    problems_.add(node.mark, path,
                  fmt::format("a number of phones or a percentage is wanted, as in {} or {}%, this is '{}'", min, min,
                              text->substr(0, kShownMax)));
    return std::nullopt;
}

}  // namespace drover::job
