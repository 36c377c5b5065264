// Preloaded into the program under test, before umockdev's own preload: takes over /dev/bus/usb/* and speaks the testbed's
// ioctl socket itself. umockdev's preload keeps at most 50 open devices per process and ends the process at more; it also
// cannot give a terminal, which is what stands in for the device node, the descriptors that libusb reads from it.
//
// A file NODE.deny.K (K from 0) makes one open() fail with EACCES and is removed by it; NODE.deny makes all fail. While there is a
// pipe NODE.hang, open() hangs until somebody opens it for writing.
// Only for tests. Runs inside any thread of any program: no allocation, no exceptions.
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

// <fcntl.h> and <sys/ioctl.h> declare what is defined here in ways that differ between compilers.
constexpr int kNoCtty = 0400;
using mode_type = unsigned;

namespace {

constexpr int kFdMax = 4096;
constexpr unsigned long kIoctl = 1, kDone = 3, kReadMemory = 5, kWriteMemory = 6;  // the testbed's messages

struct Node {
    int socket = -1;
    std::array<char, 600> file{};  // the real path of the node
    std::mutex mutex;
};
std::array<Node, kFdMax> nodes;

template <class F>
F next_of(const char* name) {
    return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}
int real_open(const char* path, int flags, mode_type mode) {
    static const auto f = next_of<int (*)(const char*, int, ...)>("open");
    return f(path, flags, mode);
}
int real_close(int fd) {
    static const auto f = next_of<int (*)(int)>("close");
    return f(fd);
}

Node* node_of(int fd) {
    return fd >= 0 && fd < kFdMax && nodes[static_cast<std::size_t>(fd)].socket >= 0
               ? &nodes[static_cast<std::size_t>(fd)]
               : nullptr;
}

bool denied(const char* file) {
    std::array<char, 640> name{};
    std::snprintf(name.data(), name.size(), "%s.deny", file);
    if (access(name.data(), F_OK) == 0) return true;
    for (int k = 0; k < 10; ++k) {
        std::snprintf(name.data(), name.size(), "%s.deny.%d", file, k);
        if (unlink(name.data()) == 0) return true;
    }
    return false;
}

// As a device that does not answer while it is opened.
void maybe_hang(const char* file) {
    std::array<char, 640> name{};
    std::snprintf(name.data(), name.size(), "%s.hang", file);
    constexpr int kCloseOnExec = 02000000;
    // Not through umockdev's preload, which has a lock of its own meanwhile.
    const auto pipe = static_cast<int>(syscall(SYS_openat, -100, name.data(), kCloseOnExec, 0));
    if (pipe >= 0) real_close(pipe);
}

int open_node(const char* path, int flags, mode_type mode) {
    const char* root = getenv("UMOCKDEV_DIR");
    if (!root || std::strncmp(path, "/dev/bus/usb/", 13) != 0) return real_open(path, flags, mode);
    std::array<char, 600> file{};
    std::snprintf(file.data(), file.size(), "%s%s", root, path);
    maybe_hang(file.data());
    if (denied(file.data())) {
        errno = EACCES;
        return -1;
    }
    // Not below /dev, so umockdev's preload leaves it alone.
    const int fd = real_open(file.data(), flags | kNoCtty, mode);
    if (fd < 0) return fd;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s/ioctl/%s", root, path);
    const int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= kFdMax || s < 0 || connect(s, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        if (s >= 0) real_close(s);
        real_close(fd);
        errno = ENODEV;
        return -1;
    }
    Node& node = nodes[static_cast<std::size_t>(fd)];
    node.file = file;
    node.socket = s;
    return fd;
}

bool send_all(int s, const void* data, std::size_t size) {
    for (const char* p = static_cast<const char*>(data); size > 0;) {
        const ssize_t n = send(s, p, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}
bool receive_all(int s, void* data, std::size_t size) {
    for (char* p = static_cast<char*>(data); size > 0;) {
        const ssize_t n = recv(s, p, size, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

int node_ioctl(Node& node, unsigned long request, void* argument) {
    const std::lock_guard lock(node.mutex);
    std::array<unsigned long, 3> m{kIoctl, request & 0xFFFFFFFF, reinterpret_cast<unsigned long>(argument)};
    bool alive = send_all(node.socket, m.data(), sizeof m);
    while (alive && receive_all(node.socket, m.data(), sizeof m)) {
        if (m[0] == kReadMemory) {
            alive = send_all(node.socket, reinterpret_cast<void*>(m[1]), m[2]);
        } else if (m[0] == kWriteMemory) {
            alive = receive_all(node.socket, reinterpret_cast<void*>(m[1]), m[2]);
        } else if (m[0] == kDone) {
            const int result = static_cast<int>(m[1]);
            if (result < 0) errno = static_cast<int>(m[2]);
            return result;
        } else {
            break;
        }
    }
    errno = ENODEV;
    return -1;
}

// What the kernel gives for a read of the node: the descriptors, which the test wrote beside it.
ssize_t read_descriptors(const Node& node, void* buffer, std::size_t size, int fd) {
    std::array<char, 640> name{};
    std::snprintf(name.data(), name.size(), "%s.descriptors", node.file.data());
    static std::array<off_t, kFdMax> offsets{};
    off_t& offset = offsets[static_cast<std::size_t>(fd)];
    const int file = real_open(name.data(), 0, 0);
    if (file < 0) return -1;
    const ssize_t n = pread(file, buffer, size, offset);
    real_close(file);
    if (n > 0) offset += n;
    if (n < static_cast<ssize_t>(size)) offset = 0;  // libusb reads to the end once per open
    return n;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    va_list v;
    va_start(v, flags);
    const mode_type mode = va_arg(v, mode_type);
    va_end(v);
    return open_node(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    va_list v;
    va_start(v, flags);
    const mode_type mode = va_arg(v, mode_type);
    va_end(v);
    return open_node(path, flags, mode);
}
int __open_2(const char* path, int flags) { return open_node(path, flags, 0); }
int __open64_2(const char* path, int flags) { return open_node(path, flags, 0); }

int ioctl(int fd, unsigned long request, ...) {
    va_list v;
    va_start(v, request);
    void* const argument = va_arg(v, void*);
    va_end(v);
    if (Node* node = node_of(fd)) return node_ioctl(*node, request, argument);
    static const auto f = next_of<int (*)(int, unsigned long, ...)>("ioctl");
    return f(fd, request, argument);
}
ssize_t read(int fd, void* buffer, size_t size) {
    if (const Node* node = node_of(fd)) return read_descriptors(*node, buffer, size, fd);
    static const auto f = next_of<ssize_t (*)(int, void*, size_t)>("read");
    return f(fd, buffer, size);
}
ssize_t __read_chk(int fd, void* buffer, size_t size, size_t) { return read(fd, buffer, size); }
off_t lseek(int fd, off_t offset, int whence) noexcept {
    if (node_of(fd)) return 0;
    static const auto f = next_of<off_t (*)(int, off_t, int)>("lseek");
    return f(fd, offset, whence);
}
off_t lseek64(int fd, off_t offset, int whence) noexcept {
    if (node_of(fd)) return 0;
    static const auto f = next_of<off_t (*)(int, off_t, int)>("lseek64");
    return f(fd, offset, whence);
}
int close(int fd) {
    if (Node* node = node_of(fd)) {
        real_close(node->socket);
        node->socket = -1;
    }
    return real_close(fd);
}

}  // extern "C"
