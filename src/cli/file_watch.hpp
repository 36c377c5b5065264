// Tells when one of a few files was changed, replaced or removed, through inotify on their folders: editors and config tools put a
// new file in the old one's place.
//
// Threads: the io_context's. Ownership: the caller's; nothing is called once it is destroyed. Failure: a folder that cannot be
// watched is logged; then only SIGHUP reads that file again.
#pragma once
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <set>
#include <utility>
#include <vector>

namespace drover::cli {

class FileWatch {
public:
    // Changes within this time of each other are told once: hundreds of them may come together.
    static constexpr std::chrono::milliseconds kQuiet{100};
    // A file that never rests is told that often nevertheless.
    static constexpr std::chrono::milliseconds kPatience{1'000};

    FileWatch(boost::asio::io_context& io, const std::vector<std::filesystem::path>& files,
              std::function<void()> changed);
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;

    // As if a file had changed: others may ring too. The io_context's thread.
    void ring();

private:
    void watch(const std::filesystem::path& file);
    void read();
    bool concerns_us(std::size_t bytes) const;

    boost::asio::posix::stream_descriptor inotify_;
    boost::asio::steady_timer quiet_;
    std::function<void()> changed_;
    std::set<std::pair<int, std::string>> names_;  // watch descriptor, file name
    std::chrono::steady_clock::time_point first_ring_{};
    bool rung_ = false;
    alignas(8) std::array<char, 16 * 1024> buffer_{};
};

}  // namespace drover::cli
