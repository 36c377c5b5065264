// Socket pairs in a poll set: what is told, what is not told after remove(), and that no socket is forgotten.
#include "base/poll_set.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <future>
#include <memory>
#include <vector>

#include "base/loop_pool.hpp"

namespace drover {
namespace {

class Pair final : public PollHandler {
public:
    explicit Pair(LoopPool& pool) : pool_(pool) {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_), 0);
        pool_.run_on(0, [this] { EXPECT_TRUE(PollSet::of(pool_.at(0)).add(ends_[0], *this)); });
    }
    ~Pair() {
        pool_.run_on(0, [this] { remove(); });
        ::close(ends_[0]);
        if (ends_[1] >= 0) ::close(ends_[1]);
    }
    void remove() { PollSet::of(pool_.at(0)).remove(ends_[0], *this); }
    void write() const { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }
    void hang_up() {
        ::close(ends_[1]);
        ends_[1] = -1;
    }
    ssize_t read() const {
        char c = 0;
        return ::read(ends_[0], &c, 1);
    }

    std::function<void(PollEvents)> told = [](PollEvents) {};

private:
    void on_poll(PollEvents events) override { told(events); }

    LoopPool& pool_;
    int ends_[2] = {-1, -1};
};

TEST(PollSet, TellsOfBytesAndOfTheEnd) {
    LoopPool pool(1);
    Pair pair(pool);
    std::promise<void> read;
    std::promise<ssize_t> ended;
    pool.run_on(0, [&] {
        pair.told = [&](PollEvents e) {
            if (e.readable && !e.hung_up && pair.read() == 1) read.set_value();
            if (!e.hung_up) return;
            ended.set_value(pair.read());
            pair.remove();
        };
    });
    pair.write();
    read.get_future().wait();
    pair.hang_up();
    EXPECT_EQ(ended.get_future().get(), 0);
}

TEST(PollSet, TellsOnceOfWhatIsNotRead) {
    LoopPool pool(1);
    Pair pair(pool), other(pool);
    std::size_t times = 0;
    std::promise<void> later;
    pool.run_on(0, [&] {
        pair.told = [&](PollEvents e) { times += e.readable ? 1 : 0; };
        other.told = [&](PollEvents e) {
            if (e.readable) later.set_value();
        };
        pair.write();
    });
    other.write();
    later.get_future().wait();
    pool.run_on(0, [&] { EXPECT_EQ(times, 1u); });
}

TEST(PollSet, MoreSocketsThanABatchAreAllTold) {
    LoopPool pool(1);
    constexpr std::size_t kPairs = 300;
    std::vector<std::unique_ptr<Pair>> pairs;
    std::size_t told = 0;
    std::promise<void> all;
    for (std::size_t i = 0; i < kPairs; ++i) pairs.push_back(std::make_unique<Pair>(pool));
    pool.run_on(0, [&] {
        for (auto& pair : pairs) {
            pair->told = [&, p = pair.get()](PollEvents e) {
                if (e.readable && p->read() == 1 && ++told == kPairs) all.set_value();
            };
            pair->write();
        }
    });
    all.get_future().wait();
}

// Both are in the same batch; whichever comes first takes the other out, and itself too.
TEST(PollSet, ARemovedSocketIsNotTold) {
    LoopPool pool(1);
    auto a = std::make_unique<Pair>(pool);
    auto b = std::make_unique<Pair>(pool);
    Pair last(pool);
    std::size_t times = 0;
    std::promise<void> done;
    pool.run_on(0, [&] {
        const auto remove_both = [&](PollEvents e) {
            if (!e.readable) return;
            ++times;
            a->remove();
            b->remove();
        };
        a->told = b->told = remove_both;
        last.told = [&](PollEvents e) {
            if (e.readable) done.set_value();
        };
        a->write();
        b->write();
    });
    last.write();
    done.get_future().wait();
    pool.run_on(0, [&] { EXPECT_EQ(times, 1u); });
}

TEST(PollSet, RefusesWhatCannotBeWatched) {
    LoopPool pool(1);
    Pair pair(pool);
    pool.run_on(0, [&] {
        EXPECT_FALSE(PollSet::of(pool.at(0)).add(-1, pair));
        EXPECT_EQ(errno, EBADF);
    });
}

}  // namespace
}  // namespace drover
