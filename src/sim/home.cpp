#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "sim/profile.hpp"
#include "sim/userland.hpp"

namespace drover::sim {

Home::Home(std::string directory, UniqueFd properties, UniqueFd control, uid_t uid)
    : directory_(std::move(directory)), properties_(std::move(properties)), control_(std::move(control)), uid_(uid) {}

std::optional<std::string> Home::read_property(std::string_view name) const {
    if (!valid_property_name(name)) return std::nullopt;
    const std::string file(name);
    UniqueFd fd(::openat(properties_.get(), file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    std::array<char, kPropertyValueMax> value;
    const ssize_t n = ::read(fd.get(), value.data(), value.size());
    if (n < 0) return std::nullopt;
    return std::string(value.data(), static_cast<std::size_t>(n));
}

void Home::write_property(std::string_view name, std::string_view value) {
    if (!valid_property_name(name)) return;
    const std::string file(name);
    const std::string fresh = fmt::format(".sim.{}", name);
    ::unlinkat(properties_.get(), fresh.c_str(), 0);
    UniqueFd fd(::openat(properties_.get(), fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!fd || ::fchmod(fd.get(), 0644) != 0) return;
    if (::write(fd.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) return;
    if (::renameat(properties_.get(), fresh.c_str(), properties_.get(), file.c_str()) != 0) {
        ::unlinkat(properties_.get(), fresh.c_str(), 0);
    }
}

}  // namespace drover::sim
