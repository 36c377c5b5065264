// Debian's adb server, started by a test on a free loopback port with a home of its own. Ended with this object.
// Throws when adb is not installed or does not listen: in a test that is a failed test.
#pragma once
#include <string>
#include <vector>

#include "support/drover.hpp"

namespace drover::test {

class AdbServer {
public:
    AdbServer();

    // "tcp:localhost:PORT", for ADB_SERVER_SOCKET.
    const std::string& socket() const { return socket_; }
    // Its HOME; the server has made a key in .android/adbkey there.
    const std::filesystem::path& home() const { return home_.path(); }
    Process& process() { return *process_; }
    // `adb ARGS…` against this server.
    Finished adb(std::vector<std::string> args) const;

private:
    TempDir home_;
    std::string socket_;
    std::unique_ptr<Process> process_;
};

}  // namespace drover::test
