// Tells when the phones of a service may be others: a file about them was changed, or discovery saw one come or go.
//
// Threads: the io_context's. Ownership: io and phones outlive it; nothing is called once it is destroyed. Failure: see FileWatch.
#pragma once
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <vector>

#include "cli/file_watch.hpp"
#include "task/fleet_phones.hpp"

namespace drover::cli {

class PhonesWatch {
public:
    // `changed` is called soon for the first time: something may have changed between the first reading and now.
    PhonesWatch(boost::asio::io_context& io, task::FleetPhones& phones, const std::vector<std::filesystem::path>& files,
                std::function<void()> changed);
    ~PhonesWatch() { phones_.on_discovery({}); }
    PhonesWatch(const PhonesWatch&) = delete;
    PhonesWatch& operator=(const PhonesWatch&) = delete;

private:
    task::FleetPhones& phones_;
    FileWatch files_;
};

}  // namespace drover::cli
