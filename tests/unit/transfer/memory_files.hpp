// The two ends of a transfer in memory: files that are sent, and a tree that is received. One thread; the test owns them.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "transfer/local_files.hpp"
#include "transfer/pull_tree.hpp"

namespace drover::test {

class MemoryFiles final : public transfer::LocalFiles {
public:
    std::map<std::string, std::string> texts;  // by path
    std::map<std::string, std::vector<transfer::LocalEntry>> walks;

    void file(const std::string& path, const std::string& text) {
        texts[path] = text;
        transfer::LocalEntry entry;
        entry.path = path;
        entry.mode = 0644;
        entry.mtime = 7;
        entry.bytes = text.size();
        walks[path] = {entry};
    }
    Result<std::vector<transfer::LocalEntry>> walk(const std::string& path) override {
        const auto it = walks.find(path);
        if (it == walks.end()) return fail(Code::local_file, path + ": No such file or directory");
        return it->second;
    }
    Result<std::unique_ptr<transfer::LocalReader>> open(const std::string& path) override {
        const auto it = texts.find(path);
        if (it == texts.end()) return fail(Code::local_file, path + ": gone");
        return std::make_unique<Reader>(it->second);
    }

private:
    struct Reader final : transfer::LocalReader {
        explicit Reader(const std::string& t) : text(t) {}
        Result<std::size_t> read(std::span<std::uint8_t> to) override {
            const std::size_t n = std::min(to.size(), text.size() - at);
            std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(at), n, to.begin());
            at += n;
            return n;
        }
        const std::string& text;
        std::size_t at = 0;
    };
};

// What a PullTree was told; outlives the tree.
struct Pulled {
    std::map<std::string, std::string> files;
    std::vector<std::string> directories;
    bool published = false, discarded = false;
    std::size_t room = SIZE_MAX;  // bytes until the disk is full
};

class MemoryTree final : public transfer::PullTree {
public:
    explicit MemoryTree(Pulled& pulled) : pulled_(pulled) {}
    Result<void> make_directory(const std::string& name, std::uint32_t) override {
        pulled_.directories.push_back(name);
        return {};
    }
    Result<void> create(const std::string& name, std::uint32_t) override {
        name_ = name;
        if (!pulled_.files.emplace(name, "").second) return fail(Code::local_file, name + ": File exists");
        return {};
    }
    Result<void> write(ByteView bytes) override {
        if (bytes.size() > pulled_.room) return fail(Code::local_file, name_ + ": No space left on device");
        pulled_.room -= bytes.size();
        pulled_.files[name_] += as_text(bytes);
        return {};
    }
    Result<void> close(std::int64_t) override { return {}; }
    Result<void> set_directory_time(const std::string&, std::int64_t) override { return {}; }
    Result<void> publish() override {
        pulled_.published = true;
        return {};
    }
    void discard() override { pulled_.discarded = true; }

private:
    Pulled& pulled_;
    std::string name_;
};

}  // namespace drover::test
