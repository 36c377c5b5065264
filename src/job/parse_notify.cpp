// notify: programs of this host that are told how a run ended.
#include <fmt/format.h>

#include <algorithm>

#include "job/keys.hpp"
#include "job/parse_file.hpp"

namespace drover::job {
namespace {

constexpr std::size_t kNotificationsMax = 20;
constexpr std::size_t kNotifyWordsMax = 200;

Notification::When when_of(const std::string& word) {
    if (word == "failure") return Notification::When::failure;
    return word == "success" ? Notification::When::success : Notification::When::always;
}

}  // namespace

void FileParser::read_notify(const yaml::Node& node) {
    if (!node.is_sequence() || node.items.empty() || node.items.size() > kNotificationsMax) {
        problems_.add(node.mark, "notify", fmt::format("a list of 1 to {} programs is wanted", kNotificationsMax));
        return;
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const yaml::MapReader map(node.items[i], fmt::format("notify[{}]", i), kNotifyKeys, problems_);
        if (!map.is_map()) continue;
        Notification out;
        out.when = when_of(map.word("when", {"always", "failure", "success"}).value_or("always"));
        out.timeout = map.duration("timeout").value_or(out.timeout);
        const auto* run = map.find("run");
        if (run && !read_notify_program(*run, map.path_of("run"), out)) continue;
        if (!use_) out_.notify.push_back(std::move(out));  // else it is of the job that uses this file
    }
}

// Plain words: what happened comes in the environment, so that nothing needs quoting.
bool FileParser::read_notify_program(const yaml::Node& node, const std::string& path, Notification& to) {
    const auto word = [&](const yaml::Node& text, const std::string& at) {
        auto value = yaml::read_string(text, at, problems_);
        if (!value) return false;
        std::string_view wrong;
        if (value->find("{{") != std::string::npos)
            wrong = "{{ }} means nothing here: how the run ended is in DROVER_EXIT_CODE, DROVER_FAILED and the like";
        if (value->find('\0') != std::string::npos) wrong = "a NUL character cannot be an argument";
        if (value->size() > kRunBytesMax) wrong = "the text is too long";
        if (!wrong.empty()) problems_.add(text.mark, at, wrong);
        to.argv.push_back(*std::move(value));
        return wrong.empty();
    };
    if (node.is_map()) {
        const yaml::MapReader map(node, path, kNotifyRunKeys, problems_);
        to.argv = {"sh", "-c"};
        const auto* shell = map.find("shell");
        return shell && word(*shell, map.path_of("shell"));
    }
    if (!node.is_sequence() || node.items.empty() || node.items.size() > kNotifyWordsMax) {
        problems_.add(
            node.mark, path,
            "a list is wanted: the program and each argument by itself; for a shell line write {shell: '...'}");
        return false;
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (!word(node.items[i], fmt::format("{}[{}]", path, i))) return false;
    }
    if (!to.argv.front().empty()) return true;
    problems_.add(node.items.front().mark, path + "[0]", "the program is empty");
    return false;
}

}  // namespace drover::job
