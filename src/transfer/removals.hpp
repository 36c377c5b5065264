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
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "fleet/phone.hpp"

namespace drover::transfer {

class Removals : public std::enable_shared_from_this<Removals> {
public:
    static constexpr auto kRemovalMax = std::chrono::milliseconds(1'500);  // inside the drain of a stop

    // Whether rows wait for it: where there are more phones than descriptors, links of phones whose rows are out would be too many.
    enum class Rows : std::uint8_t { go_first, wait };
    explicit Removals(Rows rows = Rows::go_first) : rows_(rows) {}
    Rows rows() const { return rows_; }

    // Begins it; false: the phone is not there. `then` is called on its loop, from a clean stack, when it has ended; may be empty.
    bool remove(fleet::Phone& phone, const std::string& remote, std::function<void()> then);
    // Until none is under way.
    void wait();
    std::size_t under_way() const;

private:
    class Removal;
    void ended();

    const Rows rows_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t count_ = 0;
};

}  // namespace drover::transfer
