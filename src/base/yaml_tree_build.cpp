#include "base/yaml_tree_build.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "base/yaml_tree_text.hpp"

namespace drover::yaml {
namespace {

struct Stop {  // thrown out of yaml-cpp's events, which have no other way to end early
    BuildError error;
};

class Builder final : public YAML::EventHandler {
public:
    Builder(const std::string& text, std::size_t bytes_max) : text_(text), marks_(text), bytes_left_(bytes_max) {}

    Node take_root() { return std::move(root_); }

    Mark mark_of(const YAML::Mark& mark) { return mark.is_null() ? Mark{} : marks_.at(offset_of(mark)); }
    // What yaml-cpp says where a flow collection has no end is about the end of the file; the beginning is what helps.
    std::optional<BuildError> unclosed(std::string_view yaml_message) {
        if (yaml_message != "end of sequence flow not found" && yaml_message != "end of map flow not found") return {};
        for (auto frame = stack_.rbegin(); frame != stack_.rend(); ++frame) {
            const char c = text_[std::min(offset_of(frame->mark), text_.size() - 1)];
            if (c == '[' || c == '{')
                return BuildError{mark_of(frame->mark), fmt::format("this '{}' is never closed", c)};
        }
        return {};
    }
    std::string_view line_of(const YAML::Mark& mark) const {
        if (mark.is_null()) return {};
        const std::size_t at = std::min(offset_of(mark), text_.size());
        const std::size_t newline = at == 0 ? std::string::npos : text_.rfind('\n', at - 1);
        const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
        return std::string_view(text_).substr(begin, std::min(text_.find('\n', begin), text_.size()) - begin);
    }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_++ > 0) {
            // yaml-cpp ends a document at anything that does not fit, "---" or not.
            const std::string_view line = line_of(mark);
            stop(mark, line.substr(0, 3) == "---" ? "a second document: a file holds one"
                                                  : "this does not fit what stands before it: check the indentation");
        }
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(make(Kind::null, mark), anchor); }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (++aliases_ > kAliasesMax) stop(mark, fmt::format("more than {} aliases", kAliasesMax));
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) stop(mark, "this alias stands inside its own anchor");
        charge(found->second, stack_.size(), mark);
        Node node = found->second;
        node.mark = mark_of(mark);
        add(std::move(node), 0);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        Node node = make(Kind::scalar, mark);
        node.plain = tag == "?";
        node.text = value;
        if (tag == "!") {  // yaml-cpp's sign for quoted and block scalars, but also for a tag of "!"
            const ScalarStart start = look_at_scalar(text_, offset_of(mark));
            if (start == ScalarStart::tag) refuse_tag(mark);
            if (start == ScalarStart::open_quote) stop(mark, "this quote is never closed");
        } else if (tag != "?") {
            refuse_tag(mark);
        }
        charge_one(node, mark);
        add(std::move(node), anchor);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(Kind::sequence, mark, tag, anchor);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(Kind::map, mark, tag, anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override { close(); }

private:
    struct Frame {
        Node node;
        YAML::anchor_t anchor = 0;
        YAML::Mark mark;
        bool has_key = false;  // of a map: entries.back() waits for its value
        std::unordered_map<std::string, Mark> keys;
    };

    [[noreturn]] void stop_at(Mark mark, std::string message) { throw Stop{{mark, std::move(message)}}; }
    [[noreturn]] void stop(const YAML::Mark& mark, std::string message) { stop_at(mark_of(mark), std::move(message)); }
    [[noreturn]] void refuse_tag(const YAML::Mark& mark) {
        stop(mark, "tags are not supported; a text that begins with '!' needs quotes");
    }
    static std::size_t offset_of(const YAML::Mark& mark) { return static_cast<std::size_t>(std::max(mark.pos, 0)); }

    Node make(Kind kind, const YAML::Mark& mark) {
        Node node;
        node.kind = kind;
        node.mark = mark_of(mark);
        return node;
    }

    void charge_one(const Node& node, const YAML::Mark& mark) {
        if (nodes_left_ == 0) stop(mark, fmt::format("more than {} values", kNodesMax));
        --nodes_left_;
        if (node.text.size() > bytes_left_) stop(mark, "too much text once its aliases are expanded");
        bytes_left_ -= node.text.size();
    }
    // Counts a copy of `node` that will stand `depth` deep.
    void charge(const Node& node, std::size_t depth, const YAML::Mark& mark) {
        if (depth > kDepthMax) stop(mark, fmt::format("more than {} levels deep", kDepthMax));
        charge_one(node, mark);
        for (const Node& item : node.items) charge(item, depth + 1, mark);
        for (const Entry& entry : node.entries) charge(entry.value, depth + 1, mark);
    }

    void open(Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        if (tag != "?") refuse_tag(mark);
        if (stack_.size() >= kDepthMax) stop(mark, fmt::format("more than {} levels deep", kDepthMax));
        if (!stack_.empty() && expects_key()) {
            const std::size_t at = offset_of(mark);
            // yaml-cpp takes a flow collection without its end for a key.
            if (const auto bracket = unclosed_bracket(text_, at))
                stop_at(marks_.at(*bracket), fmt::format("this '{}' is never closed", text_[*bracket]));
            const bool braces = at > 0 && text_.compare(at - 1, 2, "{{") == 0;
            stop(mark,
                 braces ? "a key must be a text; a text that begins with '{{' needs quotes" : "a key must be a text");
        }
        Frame frame;
        frame.node = make(kind, mark);
        frame.anchor = anchor;
        frame.mark = mark;
        charge_one(frame.node, mark);
        stack_.push_back(std::move(frame));
    }
    void close() {
        Frame frame = std::move(stack_.back());
        stack_.pop_back();
        finish(std::move(frame.node), frame.anchor, frame.mark);
    }

    bool expects_key() const { return stack_.back().node.is_map() && !stack_.back().has_key; }

    void add(Node node, YAML::anchor_t anchor) {
        if (!stack_.empty() && expects_key()) {
            add_key(node);
            if (anchor != 0) stop_at(node.mark, "an anchor cannot stand before a key: put it before the value");
            return;
        }
        finish(std::move(node), anchor, YAML::Mark::null_mark());
    }
    void add_key(const Node& node) {
        if (node.kind == Kind::null) stop_at(node.mark, "a key is missing here");
        if (!node.is_scalar()) stop_at(node.mark, "a key must be a text");
        if (node.text.size() > kKeyBytesMax)
            stop_at(node.mark, fmt::format("a key of more than {} bytes", kKeyBytesMax));
        if (node.plain && node.text == "<<") stop_at(node.mark, "merge keys ('<<') are not supported");
        Frame& frame = stack_.back();
        const auto [first, fresh] = frame.keys.emplace(node.text, node.mark);
        if (!fresh) {
            stop_at(node.mark, fmt::format("the key '{}' stands here a second time; the first is in line {}", node.text,
                                           first->second.line));
        }
        frame.node.entries.push_back(Entry{node.text, node.mark, Node{}});
        frame.has_key = true;
    }
    void finish(Node node, YAML::anchor_t anchor, const YAML::Mark& mark) {
        if (anchor != 0) {
            if (anchors_.size() >= kAliasesMax) stop_at(node.mark, fmt::format("more than {} anchors", kAliasesMax));
            charge(node, stack_.size(), mark);
            anchors_[anchor] = node;
        }
        if (stack_.empty()) {
            root_ = std::move(node);
            return;
        }
        Frame& frame = stack_.back();
        if (frame.node.is_map()) {
            // yaml-cpp puts a value that is not there behind the key, often in the next line.
            if (node.kind == Kind::null) node.mark = frame.node.entries.back().key_mark;
            frame.node.entries.back().value = std::move(node);
            frame.has_key = false;
        } else {
            frame.node.items.push_back(std::move(node));
        }
    }

    const std::string& text_;
    Marks marks_;
    std::size_t bytes_left_;
    std::size_t nodes_left_ = kNodesMax;
    std::size_t aliases_ = 0;
    int documents_ = 0;
    Node root_;
    std::vector<Frame> stack_;
    std::unordered_map<YAML::anchor_t, Node> anchors_;
};

}  // namespace

tl::expected<Node, BuildError> build_tree(const std::string& text, std::size_t expansion_bytes_max) {
    Builder builder(text, expansion_bytes_max);
    try {
        std::istringstream in(text);
        YAML::Parser parser(in);
        while (parser.HandleNextDocument(builder)) {}
    } catch (const Stop& stop) {
        return tl::unexpected(stop.error);
    } catch (const YAML::Exception& error) {
        if (auto bracket = builder.unclosed(error.msg)) return tl::unexpected(*std::move(bracket));
        return tl::unexpected(BuildError{builder.mark_of(error.mark), explain(error.msg, builder.line_of(error.mark))});
    } catch (const std::exception& error) {
        return tl::unexpected(BuildError{Mark{}, fmt::format("the YAML parser failed: {}", error.what())});
    }
    return builder.take_root();
}

}  // namespace drover::yaml
