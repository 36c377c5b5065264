#include "fleet/inventory.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/id_ranges.hpp"
#include "base/yaml_tree_reader.hpp"

namespace drover::fleet {
namespace {

using yaml::KeySpec;
using yaml::MapReader;
using yaml::Node;
using yaml::Problems;

constexpr KeySpec kFileKeys[] = {
    {"version", true, "version", "The format of this file: 1."},
    {"instances", false, "instances", "The phones."},
    {"groups", false, "groups", "Names for selectors; used as @name."},
    {"discover", false, "discover", "Where to find more phones: usb, server."},
};
constexpr KeySpec kInstanceKeys[] = {
    {"id", true, "id", "The name of the phone."},
    {"via", false, "via", "How to reach it: auto, tcp, usb or server."},
    {"address", true, "text", "host:port, usb:1-4.2 or a serial."},
    {"serial", false, "text", "The phone's own serial number."},
    {"labels", false, "texts", "What selectors can ask for."},
};

class Parser {
public:
    Parser(Problems& problems, Inventory& out) : problems_(problems), out_(out) {}

    void file(const Node& root) {
        const MapReader map(root, "", kFileKeys, problems_);
        if (!map.is_map()) return;
        map.integer("version", 1, 1);
        if (const Node* list = map.find("instances")) instances(*list);
        if (const Node* groups = map.find("groups")) read_groups(*groups);
        if (const Node* sources = map.find("discover")) discover(*sources);
        if (!map.find("instances") && !map.find("discover")) {
            problems_.add(root.mark, "neither 'instances' nor 'discover': there would be no phones");
        }
    }

private:
    void instances(const Node& list) {
        if (!list.is_sequence()) {
            problems_.add(list.mark, "instances", fmt::format("a list is wanted, this is {}", to_string(list.kind)));
            return;
        }
        if (list.items.size() > kInstancesMax) {
            problems_.add(list.items[kInstancesMax].mark, "instances",
                          fmt::format("more than {} instances", kInstancesMax));
            return;
        }
        out_.instances.reserve(list.items.size());
        for (std::size_t i = 0; i < list.items.size(); ++i) instance(list.items[i], fmt::format("instances[{}]", i));
    }

    void instance(const Node& node, std::string path) {
        const MapReader map(node, std::move(path), kInstanceKeys, problems_);
        if (!map.is_map()) return;
        Instance one;
        if (const auto id = map.string("id")) {
            one.id = *id;
            check_id(map, *id);
        }
        if (const auto via = map.word("via", {"auto", "tcp", "usb", "server"})) one.via = via_of(*via);
        if (const auto address = map.string("address")) read_address(map, *address, one);
        if (const auto serial = map.string("serial")) {
            one.serial = *serial;
            if (!parse_address(Via::server, *serial)) {
                map.problem("serial", fmt::format("a serial has 1 to {} printable ASCII characters", kSerialBytesMax));
            }
        }
        if (map.find("labels")) labels(map, one);
        out_.instances.push_back(std::move(one));
    }

    void check_id(const MapReader& map, const std::string& id) {
        if (!valid_instance_id(id)) {
            map.problem("id",
                        fmt::format("'{}' is not an id: 1 to {} letters, digits and . _ -, the first a letter or digit",
                                    id.substr(0, 2 * kInstanceIdMax), kInstanceIdMax));
        } else if (id == "all") {
            map.problem("id", "'all' is the selector for every phone: choose another id");
        }
        const auto [first, fresh] = ids_.emplace(id, map.mark_of("id"));
        if (!fresh)
            map.problem("id", fmt::format("the id '{}' stands here a second time; the first is in line {}", id,
                                          first->second.line));
    }

    void read_address(const MapReader& map, const std::string& text, Instance& one) {
        auto address = parse_address(one.via, text);
        if (!address) {
            map.problem("address", address.error().message);
            return;
        }
        one.address = *std::move(address);
        // Two instances on one phone would run everything on it twice.
        const std::string key =
            fmt::format("{} {}", to_string(resolve_via(one.via, one.address, true)), to_string(one.address));
        const auto [first, fresh] = addresses_.emplace(key, map.mark_of("address"));
        if (!fresh) {
            map.problem("address", fmt::format("the address {} stands here a second time; the first is in line {}",
                                               text, first->second.line));
        }
    }

    void labels(const MapReader& map, Instance& one) {
        const auto entries = map.string_map("labels");
        if (!entries) return;
        if (entries->size() > kLabelsMax) map.problem("labels", fmt::format("more than {} labels", kLabelsMax));
        const std::string path = map.path_of("labels");
        for (const yaml::StringEntry& entry : *entries) {
            if (!valid_label_key(entry.key)) {
                problems_.add(
                    entry.key_mark, path,
                    fmt::format(
                        "'{}' is not a label's name: 1 to {} letters, digits and . _ / -, the first a letter or digit",
                        entry.key, kLabelBytesMax));
            } else if (!valid_label_value(entry.value)) {
                problems_.add(entry.mark, path,
                              fmt::format("'{}' is not a label's value: up to {} letters, digits and . _ / : + @ = ~ -",
                                          entry.value, kLabelBytesMax));
            }
            one.labels.emplace(entry.key, entry.value);
        }
    }

    void read_groups(const Node& node) {
        const auto entries = yaml::read_string_map(node, "groups", problems_);
        if (!entries) return;
        if (entries->size() > kGroupsMax)
            problems_.add(node.mark, "groups", fmt::format("more than {} groups", kGroupsMax));
        for (const yaml::StringEntry& entry : *entries) {
            if (!valid_instance_id(entry.key)) {
                problems_.add(
                    entry.key_mark, "groups",
                    fmt::format(
                        "'{}' is not a group's name: 1 to {} letters, digits and . _ -, the first a letter or digit",
                        entry.key, kInstanceIdMax));
            }
            out_.groups.emplace(entry.key, Group{entry.value, entry.mark});
        }
    }

    void discover(const Node& node) {
        if (!node.is_sequence()) {
            problems_.add(node.mark, "discover", "a list is wanted, such as [usb, server]");
            return;
        }
        constexpr std::string_view kSources[] = {"usb", "server"};
        for (const Node& item : node.items) {
            const auto word = yaml::read_word(item, "discover", kSources, problems_);
            if (!word) continue;
            bool& wanted = *word == "usb" ? out_.discover_usb : out_.discover_server;
            if (wanted) problems_.add(item.mark, "discover", fmt::format("'{}' stands here a second time", *word));
            wanted = true;
        }
    }

    static Via via_of(std::string_view word) {
        for (const Via via : {Via::tcp, Via::usb, Via::server}) {
            if (word == to_string(via)) return via;
        }
        return Via::automatic;
    }

    Problems& problems_;
    Inventory& out_;
    std::unordered_map<std::string, yaml::Mark> ids_, addresses_;
};

// All of them at once, a line each, as long as people read them.
Error all_of(const Problems& problems, const yaml::Source& source) {
    constexpr std::size_t kLinesMax = 10;
    auto lines = problems.lines();
    lines.resize(std::min(lines.size(), kLinesMax));
    auto text = fmt::format("{}", fmt::join(lines, "\n"));
    if (problems.count() > kLinesMax)
        text += fmt::format("\n{}: {} more problem(s)", source.file, problems.count() - kLinesMax);
    return Error(source.code, std::move(text));
}

Result<Inventory> from_tree(const Result<Node>& tree, const yaml::Source& source) {
    if (!tree) return tl::unexpected(tree.error());
    Inventory out;
    out.file = source.file;
    Problems problems(source);
    Parser(problems, out).file(*tree);
    if (!problems.empty()) return tl::unexpected(all_of(problems, source));
    return out;
}

}  // namespace

Result<Inventory> parse_inventory(std::string_view text, std::string_view file) {
    const yaml::Source source{std::string(file), Code::bad_inventory, kInventoryBytesMax};
    return from_tree(yaml::parse(text, source), source);
}

Result<Inventory> load_inventory(const std::string& file) {
    const yaml::Source source{file, Code::bad_inventory, kInventoryBytesMax};
    return from_tree(yaml::load(source), source);
}

}  // namespace drover::fleet
