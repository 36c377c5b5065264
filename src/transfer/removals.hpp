// Files of this program on phones that are removed behind the row of what needed them: nobody waits for that but the end of the
// process. Each is a command among those that a phone may have at once, and waits for its place; the phone's link is given up after
// it, where nobody needs it.
//
// Threads: remove() on the phone's loop, wait() on any other thread. Ownership: shared by who makes the calls and who waits; phones
// and loops live until wait() has returned. Failure: none is told; each removal has kRemovalMax, the wait for a place included.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include "fleet/phone.hpp"

namespace drover::transfer {

class Removals : public std::enable_shared_from_this<Removals> {
public:
    static constexpr auto kRemovalMax = std::chrono::milliseconds(1'500);  // inside the drain of a stop

    // Begins it, if the phone is there.
    void remove(fleet::Phone& phone, const std::string& remote);
    // Until none is under way.
    void wait();
    std::size_t under_way() const;

private:
    class Removal;
    void ended();

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t count_ = 0;
};

}  // namespace drover::transfer
