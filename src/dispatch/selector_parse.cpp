// Selector::parse: recursive descent over the text; groups are parsed once each, when first used.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/nearest.hpp"
#include "dispatch/selector.hpp"
#include "dispatch/selector_tree.hpp"

namespace drover::dispatch {
namespace {

using detail::SelectorNode;
using detail::SelectorTree;
using Kind = SelectorNode::Kind;
using Parsed = tl::expected<SelectorNode, SelectorError>;

constexpr std::array<std::string_view, 7> kPrefixes{"label", "state", "via", "usb", "serial", "tcp", "group"};
constexpr std::string_view kDisabled = "disabled";
constexpr std::array kStates{
    std::pair{std::string_view("running"), adb::AdbState::device},
    std::pair{std::string_view("device"), adb::AdbState::device},
    std::pair{std::string_view("offline"), adb::AdbState::offline},
    std::pair{std::string_view("unauthorized"), adb::AdbState::unauthorized},
    std::pair{std::string_view("authorizing"), adb::AdbState::authorizing},
    std::pair{std::string_view("connecting"), adb::AdbState::connecting},
    std::pair{std::string_view("recovery"), adb::AdbState::recovery},
    std::pair{std::string_view("sideload"), adb::AdbState::sideload},
    std::pair{std::string_view("rescue"), adb::AdbState::rescue},
    std::pair{std::string_view("bootloader"), adb::AdbState::bootloader},
    std::pair{std::string_view("detached"), adb::AdbState::detached},
    std::pair{std::string_view("no-permissions"), adb::AdbState::no_permissions},
};
constexpr std::array kVias{Via::tcp, Via::usb, Via::server};

tl::unexpected<SelectorError> wrong(std::size_t offset, std::string message) {
    return tl::unexpected(SelectorError{offset, std::move(message)});
}

std::string quoted(std::string_view text) {
    constexpr std::size_t kShownMax = 60;
    return text.size() > kShownMax ? fmt::format("'{}...'", text.substr(0, kShownMax)) : fmt::format("'{}'", text);
}

// What all parsers of one selector share: the tree and the groups met so far.
struct Shared {
    SelectorTree& tree;
    const Groups* groups;                                    // null: any group is taken to exist
    std::map<std::string, std::size_t, std::less<>> parsed;  // group name -> index in the tree
    std::vector<std::string> open;                           // groups being parsed, outermost first
    std::size_t depth = 0;
};

class Parser {
public:
    Parser(std::string_view text, Shared& shared) : text_(text), shared_(shared) {}

    Parsed whole() {
        if (text_.size() > kSelectorBytesMax) return wrong(0, fmt::format("longer than {} bytes", kSelectorBytesMax));
        skip_spaces();
        if (at_end()) return wrong(0, "the selector is empty: write 'all' for every phone");
        Parsed node = chain(0);
        if (!node) return node;
        if (at_end()) return node;
        if (text_[at_] == ')') return wrong(at_, "')' without '('");
        return wrong(at_, text_[at_] == '!' ? "an operator is missing here: for 'without' write '& !'"
                                            : "an operator is missing here: one of & ^ ,");
    }

private:
    struct Level {
        char sign;
        Kind kind;
    };
    // Weakest first.
    static constexpr std::array<Level, 3> kLevels{Level{',', Kind::any}, Level{'^', Kind::either},
                                                  Level{'&', Kind::both}};

    bool at_end() const { return at_ >= text_.size(); }
    void skip_spaces() {
        while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
            ++at_;
    }

    // a SIGN b SIGN c at one level of strength.
    Parsed chain(std::size_t level) {
        if (level == kLevels.size()) return unary();
        Parsed first = chain(level + 1);
        if (!first || at_end() || text_[at_] != kLevels[level].sign) return first;
        SelectorNode node;
        node.kind = kLevels[level].kind;
        add_operand(node, *std::move(first));
        while (!at_end() && text_[at_] == kLevels[level].sign) {
            ++at_;
            skip_spaces();
            Parsed next = chain(level + 1);
            if (!next) return next;
            add_operand(node, *std::move(next));
        }
        return node;
    }

    // A union of many plain ids is one set: looking a phone up in it does not depend on their number.
    static void add_operand(SelectorNode& node, SelectorNode operand) {
        if (node.kind != Kind::any || operand.kind != Kind::id) {
            node.children.push_back(std::move(operand));
            return;
        }
        if (node.children.empty() || node.children.back().kind != Kind::ids) {
            node.children.emplace_back();
            node.children.back().kind = Kind::ids;
        }
        node.children.back().ids.insert(std::move(operand.name));
    }

    Parsed unary() {
        if (at_end()) return wrong(at_, "the selector ends where a phone, a pattern or a group is wanted");
        if (text_[at_] != '!' && text_[at_] != '(') return atom();
        const std::size_t begin = at_++;
        skip_spaces();
        if (++shared_.depth > kSelectorDepthMax)
            return wrong(begin, fmt::format("more than {} levels deep", kSelectorDepthMax));
        const bool negation = text_[begin] == '!';
        if (negation) negated_ = !negated_;
        Parsed inner = negation ? unary() : chain(0);
        if (negation) negated_ = !negated_;
        --shared_.depth;
        if (!inner) return inner;
        if (negation) {
            SelectorNode node;
            node.kind = Kind::negation;
            node.children.push_back(*std::move(inner));
            return node;
        }
        if (at_end() || text_[at_] != ')') return wrong(begin, "'(' without ')'");
        ++at_;
        skip_spaces();
        return inner;
    }

    Parsed atom() {
        const std::size_t begin = at_;
        while (!at_end() && std::string_view(" \t\r\n!&^,()").find(text_[at_]) == std::string_view::npos) {
            if (text_[at_] == '[') {  // a list keeps its commas
                const std::size_t end = text_.find(']', at_);
                if (end == std::string_view::npos) return wrong(at_, "'[' without ']'");
                at_ = end;
            }
            ++at_;
        }
        const std::string_view word = text_.substr(begin, at_ - begin);
        if (word.empty())
            return wrong(begin, fmt::format("a phone, a pattern or a group is wanted here, not '{}'", text_[begin]));
        skip_spaces();
        if (word[0] == '@') return group(word.substr(1), begin);
        const std::size_t colon = word.find(':');
        if (colon != std::string_view::npos) return prefixed(word.substr(0, colon), word.substr(colon + 1), begin);
        SelectorNode node;
        if (word == "all") return node;
        return id_or_pattern(word, begin);
    }

    Parsed id_or_pattern(std::string_view word, std::size_t begin) {
        SelectorNode node;
        if (valid_instance_id(word)) {
            node.kind = Kind::id;
            node.name = word;
            shared_.tree.written_ids.emplace_back(word);
            if (shared_.open.empty() && !negated_) shared_.tree.named.emplace(word);
            return node;
        }
        const bool outside =
            word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-*?[],") !=
            std::string_view::npos;
        auto pattern = IdPattern::parse(word);
        if (!pattern) return wrong(begin + pattern.error().offset, pattern.error().message);
        if (outside || pattern->is_literal()) {
            return wrong(
                begin,
                fmt::format("{} is neither an id nor a pattern: ids have 1 to {} letters, digits and . _ -, the first "
                            "a letter or digit",
                            quoted(word), kInstanceIdMax));
        }
        node.kind = Kind::pattern;
        node.pattern = *std::move(pattern);
        return node;
    }

    Parsed prefixed(std::string_view prefix, std::string_view value, std::size_t begin) {
        const std::size_t value_at = begin + prefix.size() + 1;
        if (value.empty()) return wrong(value_at, fmt::format("something must follow '{}:'", prefix));
        if (prefix == "label") return label(value, value_at);
        if (prefix == "state") return state(value, value_at);
        if (prefix == "via") return via(value, value_at);
        if (prefix == "usb") return pattern_of(Kind::usb, value, value_at);
        if (prefix == "serial") return pattern_of(Kind::serial, value, value_at);
        if (prefix == "tcp") return tcp(value, value_at);
        if (prefix == "group") return wrong(begin, fmt::format("write @{} for a group", value));
        return wrong(begin, fmt::format("unknown kind {}{}: one of label, state, via, usb, serial, tcp", quoted(prefix),
                                        did_you_mean(prefix, kPrefixes)));
    }

    static Parsed pattern_of(Kind kind, std::string_view value, std::size_t at) {
        auto pattern = IdPattern::parse(value);
        if (!pattern) return wrong(at + pattern.error().offset, pattern.error().message);
        SelectorNode node;
        node.kind = kind;
        node.pattern = *std::move(pattern);
        return node;
    }

    static Parsed label(std::string_view text, std::size_t at) {
        const std::size_t equals = text.find('=');
        const std::string_view key = text.substr(0, equals);
        if (!fleet::valid_label_key(key)) return wrong(at, fmt::format("{} is not a label's name", quoted(key)));
        Parsed node = SelectorNode{};
        if (equals != std::string_view::npos) node = pattern_of(Kind::label, text.substr(equals + 1), at + equals + 1);
        if (!node) return node;
        node->kind = Kind::label;
        node->name = key;
        return node;
    }

    Parsed state(std::string_view word, std::size_t at) {
        SelectorNode node;
        if (word == kDisabled) {
            node.kind = Kind::disabled;
            node.asks = shared_.open.empty() && !negated_;
            return node;
        }
        node.kind = Kind::state;
        std::vector<std::string_view> words{kDisabled};
        for (const auto& [name, value] : kStates) {
            node.state = value;
            if (name == word) return node;
            words.push_back(name);
        }
        return wrong(at, fmt::format("unknown state {}{}: one of {}", quoted(word), did_you_mean(word, words),
                                     fmt::join(words, ", ")));
    }

    static Parsed via(std::string_view word, std::size_t at) {
        SelectorNode node;
        node.kind = Kind::via;
        std::vector<std::string_view> words;
        for (const Via way : kVias) {
            node.via = way;
            if (to_string(way) == word) return node;
            words.push_back(to_string(way));
        }
        return wrong(at, fmt::format("unknown way {}{}: one of {}", quoted(word), did_you_mean(word, words),
                                     fmt::join(words, ", ")));
    }

    // HOST[:PORT]; the brackets of an IPv6 address are no list.
    static Parsed tcp(std::string_view value, std::size_t at) {
        SelectorNode node;
        node.kind = Kind::tcp;
        const std::size_t close = value[0] == '[' ? value.find(']') : 0;  // atom() saw to the ']'
        const std::size_t colon = value.find(':', close);
        const std::string_view host = value.substr(0, colon);
        if (colon != std::string_view::npos) {
            const auto address = fleet::parse_address(Via::tcp, fmt::format("h:{}", value.substr(colon + 1)));
            if (!address)
                return wrong(at + colon + 1,
                             fmt::format("{} is no port from 1 to 65535", quoted(value.substr(colon + 1))));
            node.name = value.substr(colon + 1);
        }
        if (value[0] == '[') {
            node.pattern = IdPattern::literal(host.substr(1, host.size() - 2));
            return node;
        }
        auto pattern = IdPattern::parse(host);
        if (!pattern) return wrong(at + pattern.error().offset, pattern.error().message);
        node.pattern = *std::move(pattern);
        return node;
    }

    Parsed group(std::string_view name, std::size_t begin) {
        SelectorNode node;
        node.kind = Kind::group;
        if (const auto known = shared_.parsed.find(name); known != shared_.parsed.end()) {
            node.group = known->second;
            return node;
        }
        if (!valid_instance_id(name)) return wrong(begin, fmt::format("{} is not a group's name", quoted(name)));
        if (!shared_.groups) return node;
        const auto found = shared_.groups->find(name);
        if (found == shared_.groups->end()) return unknown_group(name, begin);
        if (std::find(shared_.open.begin(), shared_.open.end(), name) != shared_.open.end()) {
            return wrong(begin, fmt::format("the group @{} contains itself: @{} > @{}", name,
                                            fmt::join(shared_.open, " > @"), name));
        }
        if (++shared_.depth > kSelectorDepthMax)
            return wrong(begin, fmt::format("more than {} levels deep", kSelectorDepthMax));
        shared_.open.emplace_back(name);
        Parsed inner = Parser(found->second.selector, shared_).whole();
        shared_.open.pop_back();
        --shared_.depth;
        if (!inner) {
            // The innermost group has said where; outer ones only pass it on.
            if (inner.error().message.rfind("in group @", 0) == 0) return wrong(begin, inner.error().message);
            return wrong(begin, fmt::format("in group @{}, column {}: {}", name, inner.error().offset + 1,
                                            inner.error().message));
        }
        node.group = shared_.tree.groups.size();
        shared_.tree.groups.push_back(*std::move(inner));
        shared_.parsed.emplace(std::string(name), node.group);
        return node;
    }

    Parsed unknown_group(std::string_view name, std::size_t begin) const {
        if (shared_.groups->empty())
            return wrong(begin, fmt::format("no group {}: the inventory has no groups", quoted(name)));
        std::vector<std::string_view> names;
        for (const auto& [other, group] : *shared_.groups) names.push_back(other);
        return wrong(begin, fmt::format("no group {}{}", quoted(name), did_you_mean(name, names)));
    }

    std::string_view text_;
    Shared& shared_;
    std::size_t at_ = 0;
    bool negated_ = false;
};

}  // namespace

tl::expected<Selector, SelectorError> Selector::parse(std::string_view text, const Groups& groups) {
    auto tree = std::make_shared<SelectorTree>();
    Shared shared{*tree, &groups, {}, {}, 0};
    Parsed root = Parser(text, shared).whole();
    if (!root) return tl::unexpected(std::move(root.error()));
    tree->root = *std::move(root);
    return Selector(std::move(tree));
}

tl::expected<void, SelectorError> Selector::check(std::string_view text) {
    SelectorTree tree;
    Shared shared{tree, nullptr, {}, {}, 0};
    const Parsed root = Parser(text, shared).whole();
    if (!root) return tl::unexpected(root.error());
    return {};
}

}  // namespace drover::dispatch
