#include "dispatch/selector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/utf8.hpp"
#include "base/yaml_tree.hpp"
#include "dispatch/selector_tree.hpp"

namespace drover::dispatch {
namespace {

using detail::SelectorNode;
using detail::SelectorTree;
using Kind = SelectorNode::Kind;

// Kleene's three values: unknown where a state is not known yet.
enum class Match : std::uint8_t { no, unknown, yes };

Match match_if(bool condition) { return condition ? Match::yes : Match::no; }
Match negate(Match m) { return m == Match::unknown ? m : match_if(m == Match::no); }

bool is_out_of_service(const Candidate& phone) { return phone.instance->disabled || phone.unfit; }

// A phone that an adb server has over TCP is listed under its address: it is meant by that too.
bool tcp_matches(const SelectorNode& node, const Address& address) {
    Address listed;
    if (const auto* serial = std::get_if<Serial>(&address)) {
        const auto parsed = fleet::parse_address(Via::tcp, serial->serial);
        if (!parsed) return false;
        listed = *parsed;
    }
    const auto* tcp = std::get_if<TcpAddress>(std::holds_alternative<Serial>(address) ? &listed : &address);
    return tcp && node.pattern->matches(tcp->host) && (node.name.empty() || node.name == std::to_string(tcp->port));
}

bool usb_matches(const SelectorNode& node, const Instance& phone) {
    const auto* usb = std::get_if<UsbPath>(&phone.address);
    const std::string& path = usb ? usb->path : phone.usb_path;
    return !path.empty() && node.pattern->matches(path);
}

bool serial_matches(const SelectorNode& node, const Instance& phone) {
    const auto* address = std::get_if<Serial>(&phone.address);
    return (address && node.pattern->matches(address->serial)) ||
           (!phone.serial.empty() && node.pattern->matches(phone.serial));
}

bool label_matches(const SelectorNode& node, const Instance& phone) {
    const auto label = phone.labels.find(node.name);
    return label != phone.labels.end() && (!node.pattern || node.pattern->matches(label->second));
}

// One phone against one tree. `groups`: the results of the groups before.
class Evaluation {
public:
    Evaluation(const Candidate& phone, const std::vector<Match>& groups) : phone_(phone), groups_(groups) {}

    Match of(const SelectorNode& node) const {
        const Instance& instance = *phone_.instance;
        switch (node.kind) {
            case Kind::all: return Match::yes;
            case Kind::id: return match_if(instance.id == node.name);
            case Kind::ids: return match_if(node.ids.count(instance.id) != 0);
            case Kind::pattern: return match_if(node.pattern->matches(instance.id));
            case Kind::label: return match_if(label_matches(node, instance));
            case Kind::state: return phone_.state ? match_if(*phone_.state == node.state) : Match::unknown;
            case Kind::disabled: return match_if(is_out_of_service(phone_));
            case Kind::via: return match_if(instance.via == node.via);
            case Kind::usb: return match_if(usb_matches(node, instance));
            case Kind::serial: return match_if(serial_matches(node, instance));
            case Kind::tcp: return match_if(tcp_matches(node, instance.address));
            case Kind::group: return groups_[node.group];
            case Kind::negation: return negate(of(node.children[0]));
            case Kind::both: return fold(node, Match::yes, [](Match a, Match b) { return std::min(a, b); });
            case Kind::any: return fold(node, Match::no, [](Match a, Match b) { return std::max(a, b); });
            case Kind::either:
                return fold(node, Match::no, [](Match a, Match b) {
                    if (a == Match::unknown || b == Match::unknown) return Match::unknown;
                    return match_if(a != b);
                });
        }
        return Match::no;
    }

    // Of a phone out of service that matches: whether a state:disabled asks for it, in a branch that does.
    bool asked_for(const SelectorNode& node) const {
        const auto asks = [this](const SelectorNode& child) { return asked_for(child); };
        const auto matches = [this](const SelectorNode& child) { return of(child) == Match::yes && asked_for(child); };
        const auto& children = node.children;
        switch (node.kind) {
            case Kind::disabled: return node.asks;
            case Kind::any: return std::any_of(children.begin(), children.end(), matches);
            case Kind::negation:
            case Kind::both:
            case Kind::either: return std::any_of(children.begin(), children.end(), asks);
            default: return false;
        }
    }

private:
    template <class Join>
    Match fold(const SelectorNode& node, Match start, Join join) const {
        for (const SelectorNode& child : node.children) start = join(start, of(child));
        return start;
    }

    const Candidate& phone_;
    const std::vector<Match>& groups_;
};

std::vector<Match> evaluate_groups(const SelectorTree& tree, const Candidate& phone) {
    std::vector<Match> groups;
    groups.reserve(tree.groups.size());
    for (const SelectorNode& group : tree.groups) groups.push_back(Evaluation(phone, groups).of(group));
    return groups;
}

Match evaluate(const SelectorTree& tree, const Candidate& phone) {
    const auto groups = evaluate_groups(tree, phone);
    return Evaluation(phone, groups).of(tree.root);
}

bool is_left_out(const SelectorTree& tree, const Candidate& phone) {
    if (!is_out_of_service(phone) || tree.named.count(phone.instance->id) != 0) return false;
    const auto groups = evaluate_groups(tree, phone);
    return !Evaluation(phone, groups).asked_for(tree.root);
}

}  // namespace

Error SelectorError::to_error(std::string_view selector) const {
    constexpr std::size_t kShownMax = 120;
    const std::string clean = sanitize_utf8(selector);
    const bool long_one = clean.size() > kShownMax;
    const std::string shown = clean.substr(0, utf8_floor(clean, kShownMax)) + (long_one ? "..." : "");
    const std::string_view before = selector.substr(0, offset);
    const auto column = 1 + std::count_if(before.begin(), before.end(), [](char c) { return (c & 0xC0) != 0x80; });
    Error error(Code::bad_selector, fmt::format("selector '{}', column {}: {}", shown, column, sanitize_utf8(message)));
    for (char& c : error.message) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
    }
    return error;
}

Selection Selector::select(std::span<const Candidate> phones) const {
    Selection out;
    std::unordered_set<std::string_view> known;
    for (std::size_t i = 0; i < phones.size(); ++i) {
        const Instance& instance = *phones[i].instance;
        known.insert(instance.id);
        if (evaluate(*tree_, phones[i]) != Match::yes) continue;
        if (is_left_out(*tree_, phones[i])) {
            ++out.disabled_left_out;
            out.disabled.push_back(i);
        } else {
            out.targets.push_back(i);
        }
    }
    std::set<std::string_view> told;
    for (const std::string& id : tree_->written_ids) {
        if (known.count(id) == 0 && told.insert(id).second) out.unknown_ids.push_back(id);
    }
    return out;
}

std::vector<std::size_t> Selector::undecided(std::span<const Candidate> phones) const {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < phones.size(); ++i) {
        if (evaluate(*tree_, phones[i]) == Match::unknown) out.push_back(i);
    }
    return out;
}

Result<void> check_groups(const fleet::Inventory& inventory) {
    for (const auto& [name, group] : inventory.groups) {
        const auto parsed = Selector::parse(group.selector, inventory.groups);
        if (parsed) continue;
        const std::string message = fmt::format("groups.{}: column {} of the selector: {}", name,
                                                parsed.error().offset + 1, parsed.error().message);
        return fail(Code::bad_inventory, yaml::located(inventory.file, group.mark, message));
    }
    return {};
}

}  // namespace drover::dispatch
