// The values of a job's secrets, and how they are kept out of everything that is shown: each becomes *** .
//
// Threads: Secrets is immutable once loaded, any thread; a MaskedStream has one user. Failure: load() says which secret, never
// what is in it.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "drover/error.hpp"
#include "job/model.hpp"

namespace drover::job {

class Secrets {
public:
    static constexpr std::size_t kBytesMin = 4;  // shorter ones would be found everywhere
    static constexpr std::size_t kBytesMax = 16 * 1024;

    Secrets() = default;
    explicit Secrets(std::vector<std::string> values);
    // From the environment and from files that only their owner may read. Code::bad_job.
    static Result<Secrets> load(const std::vector<Secret>& wanted);

    bool empty() const { return values_.empty(); }
    const std::vector<std::string>& values() const { return values_; }  // in the model's order
    std::string masked(std::string_view text) const;
    // Of a text whose end was cut off: what may be the start of a secret there is left out.
    std::string masked_cut(std::string_view text) const;

    // The length of the longest secret at the start of `text`, 0 for none; `open`: text ends inside one that may begin here.
    std::size_t match(std::string_view text, bool& open) const;

private:
    std::vector<std::string> values_;
    std::array<bool, 256> starts_{};  // whether one begins with this byte
};

// Masks a stream that comes in pieces: what may be the start of a secret waits for the next piece. Of secrets that share bytes
// every byte goes.
class MaskedStream {
public:
    explicit MaskedStream(const Secrets& secrets) : secrets_(&secrets) {}
    std::string feed(std::string_view bytes);
    std::string finish();

private:
    std::string take(bool all);

    const Secrets* secrets_;
    std::string held_;
    std::size_t hidden_ = 0;  // so many of the bytes to come belong to a secret that is masked
};

}  // namespace drover::job
