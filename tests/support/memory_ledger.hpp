// An agent's ledger in memory: outlives a Machine, as a file outlives a process, and can be told to fail. One thread.
#pragma once
#include <algorithm>
#include <map>

#include "agent/ledger.hpp"

namespace drover::test {

class MemoryLedger final : public agent::Ledger {
public:
    // After `spare` more writes the next `failures` fail, as on a full disk.
    int spare = 0, failures = 0;
    std::map<agent::Key, agent::Entry> entries;
    std::map<std::string, std::map<std::string, bool>, std::less<>> phones;

    agent::EntryState state(const agent::Key& key) const { return entries.at(key).state; }

    Result<std::vector<agent::Entry>> load() override {
        std::vector<agent::Entry> all;
        for (const auto& [key, entry] : entries) all.push_back(entry);
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.order < b.order; });
        return all;
    }
    Result<void> put(const agent::Entry& entry) override {
        return write([&] { entries[entry.command.key] = entry; });
    }
    Result<void> erase(const agent::Key& key) override {
        return write([&] { entries.erase(key); });
    }
    Result<void> forget_task(std::string_view task_id) override {
        return write([&] { phones.erase(std::string(task_id)); });
    }
    Result<void> record(std::string_view task_id, const std::vector<std::pair<std::string, bool>>& all) override {
        return write([&] {
            for (const auto& [id, ok] : all) phones[std::string(task_id)][id] = ok;
        });
    }
    Result<std::map<std::string, bool>> ended(std::string_view task_id) override {
        const auto it = phones.find(task_id);
        return it == phones.end() ? std::map<std::string, bool>() : it->second;
    }

private:
    template <class F>
    Result<void> write(F&& change) {
        if (failures > 0 && spare-- <= 0) {
            --failures;
            return fail(Code::store_failed, "database or disk is full");
        }
        change();
        return {};
    }
};

}  // namespace drover::test
