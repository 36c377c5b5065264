// One virtual phone, as all its connections share it: identity, properties, stream numbers, dice, boot state.
// One thread: the phone's loop. The profile outlives nothing: it is shared and immutable.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "sim/profile.hpp"
#include "sim/rng.hpp"

namespace drover::sim {

class Device {
public:
    // number: 1-based. serial of an equal-serial phone is the same for all of them.
    Device(std::shared_ptr<const Profile> profile, std::string id, std::uint32_t number, std::uint64_t seed);

    const std::string& id() const { return id_; }
    const Profile& profile() const { return *profile_; }
    // adbd counts its streams over all its connections, from 1; 0 is never used.
    std::uint32_t next_stream_id();
    bool dice(FaultKind kind) { return rng_.chance(profile_->fault(kind).rate); }
    Rng& rng() { return rng_; }

    // The CNXN text: a modern one without NUL, an old one with ';' and NUL.
    std::string banner() const;

    // The profile's properties with this phone's own names filled in, and what changes while it runs.
    const std::map<std::string, std::string>& properties() const { return properties_; }
    std::string property(std::string_view name) const;  // "" when absent, as getprop prints it

    bool booted() const { return booted_; }
    void set_booted(bool booted);
    // From now on it has another serial number: one of kNewSerials, so that two phones may have the same.
    static constexpr unsigned kNewSerials = 16;
    void renew_serial();

private:
    void set_serial(const std::string& serial);

    std::shared_ptr<const Profile> profile_;
    std::string id_;
    std::map<std::string, std::string> properties_;
    Rng rng_;
    std::uint32_t last_stream_ = 0;
    bool booted_ = true;
};

}  // namespace drover::sim
