#include "usb/usb_testbed.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <stdexcept>

#include "where.hpp"

namespace drover::test {
namespace {

namespace fs = std::filesystem;

std::string descriptors(bool adb, std::size_t packet_bytes) {
    const auto low = static_cast<char>(packet_bytes & 0xFF), high = static_cast<char>(packet_bytes >> 8);
    std::string d("\x12\x01\x00\x02\x00\x00\x00\x40\xd1\x18\xe7\x4e\x00\x04\x01\x02\x03\x01", 18);
    const std::string super_speed = packet_bytes > 512 ? std::string("\x06\x30\x08\x00\x00\x00", 6) : std::string();
    std::string interfaces("\x09\x04\x00\x00\x00\x06\x01\x01\x00", 9);  // MTP, without its endpoints
    if (adb) {
        interfaces += std::string("\x09\x04\x01\x00\x02\xff\x42\x01\x00", 9);
        interfaces += std::string("\x07\x05\x01\x02", 4) + low + high + '\0' + super_speed;
        interfaces += std::string("\x07\x05\x81\x02", 4) + low + high + '\0' + super_speed;
    }
    const auto total = static_cast<char>(9 + interfaces.size());
    return d + "\x09\x02" + total + std::string("\x00\x02\x01\x00\x80\xfa", 6) + interfaces;
}

// With the sanitizer's options that main() was given.
void judge(ProcessOptions& options) {
    if (const char* given = std::getenv("DROVER_CHILD_TSAN_OPTIONS")) options.env["TSAN_OPTIONS"] = given;
}

std::string hex(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return text;
}

std::vector<std::uint16_t> ports_of(const std::string& inventory) {
    std::vector<std::uint16_t> ports;
    const std::regex address(R"(127\.0\.0\.1:(\d+))");
    for (std::sregex_iterator it(inventory.begin(), inventory.end(), address), end; it != end; ++it) {
        ports.push_back(static_cast<std::uint16_t>(std::stoi((*it)[1])));
    }
    return ports;
}

}  // namespace

struct UsbTestbed::Plugged {
    std::string node;     // "/dev/bus/usb/001/005"
    std::string syspath;  // "/sys/devices/usb1/1-4.2"
    std::shared_ptr<UsbPhone> phone;
    bool silent = false;
};

UsbTestbed::UsbTestbed(std::size_t phones, std::vector<std::string> more_sim) : testbed_(umockdev_testbed_new()) {
    const auto file = dir_ / "sim.yaml";
    ProcessOptions options;
    options.argv = {DROVER_PROGRAM, "sim", "--count",           std::to_string(phones),
                    "--port",       "0",   "--write-inventory", file.string()};
    options.argv.insert(options.argv.end(), more_sim.begin(), more_sim.end());
    options.env["LD_PRELOAD"] = std::nullopt;  // virtual phones live outside of this bus
    judge(options);
    sim_ = std::make_unique<Process>(std::move(options));
    if (!sim_->wait_for_line("ready:")) throw std::runtime_error("drover sim did not get ready:\n" + sim_->err());
    ports_ = ports_of(read_file(file));
}

UsbTestbed::~UsbTestbed() {
    while (!plugged_.empty()) unplug(plugged_.begin()->first);
    pool_.run_on(0, [&] { former_.clear(); });
    g_object_unref(testbed_);
}

std::string UsbTestbed::root() const {
    gchar* const dir = umockdev_testbed_get_root_dir(testbed_);
    std::string text(dir);
    g_free(dir);
    return text;
}

UsbPhone& UsbTestbed::plug(const UsbPlug& plug) {
    const std::string bus = plug.path.substr(0, plug.path.find('-'));
    auto p = std::make_unique<Plugged>();
    p->node = fmt::format("/dev/bus/usb/{:03}/{:03}", std::stoi(bus), plug.number);
    const std::string device = fmt::format("/devices/usb{}/{}", bus, plug.path);
    p->syspath = "/sys" + device;
    const std::size_t packet_bytes = plug.options.node.packet_bytes;
    const std::string truth = descriptors(plug.adb, packet_bytes);
    const std::string raw = plug.lie ? plug.lie(truth) : truth;
    pool_.run_on(0, [&] {
        p->phone = std::make_shared<UsbPhone>(pool_.at(0), ports_.at(plug.phone), plug.options);
        p->phone->start();
    });
    if (!umockdev_testbed_attach_ioctl(testbed_, p->node.c_str(), p->phone->node().handler(), nullptr)) {
        throw std::runtime_error("umockdev refuses the node " + p->node);
    }
    // The node must be there before anybody hears of the device.
    const fs::path node = root() + p->node;
    fs::create_directories(node.parent_path());
    fs::create_symlink(p->phone->node().terminal(), node);
    std::ofstream(node.string() + ".descriptors", std::ios::binary) << raw;
    p->silent = plug.silent;
    UsbPhone& phone = *p->phone;
    if (plug.silent) {
        add_silently(plug, device, raw);
        plugged_[plug.path] = std::move(p);
        return phone;
    }
    const std::string entry = fmt::format(
        "P: {0}\nE: SUBSYSTEM=usb\nE: DRIVER=usb\nE: BUSNUM={1:03}\nE: DEVNUM={2:03}\nE: DEVNAME={3}\nE: "
        "DEVTYPE=usb_device\n"
        "E: PRODUCT=18d1/4ee7/400\nA: busnum={1}\\n\nA: devnum={2}\\n\nA: bConfigurationValue=1\\n\nA: speed={4}\\n\n"
        "A: idVendor=18d1\\n\nA: idProduct=4ee7\\n\nA: product=Virtual Phone\\n\nA: serial={5}\\n\nH: "
        "descriptors={6}\n",
        device, std::stoi(bus), plug.number, p->node, packet_bytes > 512 ? 5000 : 480, plug.serial, hex(raw));
    GError* error = nullptr;
    if (!umockdev_testbed_add_from_string(testbed_, entry.c_str(), &error)) {
        throw std::runtime_error(fmt::format("umockdev refuses the device: {}", error->message));
    }
    plugged_[plug.path] = std::move(p);
    return phone;
}

// The files alone, as the kernel would have made them.
void UsbTestbed::add_silently(const UsbPlug& plug, const std::string& device, const std::string& raw) const {
    const fs::path dir = root() + "/sys" + device;
    fs::create_directories(dir);
    const auto write = [&](const char* name, std::string_view text) {
        std::ofstream(dir / name, std::ios::binary) << text;
    };
    write("busnum", plug.path.substr(0, plug.path.find('-')) + "\n");
    write("devnum", std::to_string(plug.number) + "\n");
    write("bConfigurationValue", "1\n");
    write("serial", plug.serial + "\n");
    write("product", "Virtual Phone\n");
    write("descriptors", raw);
    const fs::path bus = root() + "/sys/bus/usb/devices";
    fs::create_directories(bus);
    fs::create_directory_symlink(dir, bus / plug.path);
}

std::string UsbTestbed::phone_address(std::size_t phone) const { return fmt::format("127.0.0.1:{}", ports_.at(phone)); }

void UsbTestbed::unplug(std::string path) {  // a copy: ours may be the name that is erased
    auto p = std::move(plugged_.at(path));
    plugged_.erase(path);
    p->phone->node().vanish();
    if (p->silent) {
        fs::remove(root() + "/sys/bus/usb/devices/" + path);
        fs::remove_all(root() + p->syspath);
    } else {
        umockdev_testbed_uevent(testbed_, p->syspath.c_str(), "remove");
        umockdev_testbed_remove_device(testbed_, p->syspath.c_str());
    }
    const std::string node = root() + p->node;
    fs::remove(node);
    fs::remove(node + ".descriptors");
    umockdev_testbed_detach_ioctl(testbed_, p->node.c_str(), nullptr);
    pool_.run_on(0, [&] { p->phone->stop(); });
    former_.push_back(std::move(p));
}

void UsbTestbed::deny(const std::string& path, int times) {
    const std::string node = root() + plugged_.at(path)->node;
    if (times == 0) std::ofstream(node + ".deny") << "";
    for (int k = 0; k < times; ++k) std::ofstream(fmt::format("{}.deny.{}", node, k)) << "";
}

void UsbTestbed::hang(const std::string& path) {
    const std::string pipe = root() + plugged_.at(path)->node + ".hang";
    if (::mkfifo(pipe.c_str(), 0600) != 0) throw std::runtime_error("mkfifo " + pipe);
}

void UsbTestbed::let_open(const std::string& path) {
    const std::string pipe = root() + plugged_.at(path)->node + ".hang";
    // Nobody may hang there any more: then there is nothing to do. Whoever hangs now sees an end, whoever comes later no pipe.
    const int fd = ::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    fs::remove(pipe);
    if (fd >= 0) ::close(fd);
}

ProcessOptions UsbTestbed::command(std::vector<std::string> args) const {
    ProcessOptions options;
    options.argv = std::move(args);
    options.argv.insert(options.argv.begin(), DROVER_PROGRAM);
    for (const char* name : {"DROVER_INVENTORY", "DROVER_SERVER", "ADB_SERVER_SOCKET", "ANDROID_ADB_SERVER_PORT"}) {
        options.env[name] = std::nullopt;
    }
    options.env["XDG_STATE_HOME"] = (dir_ / "state").string();
    judge(options);
    return options;
}

std::string UsbTestbed::inventory(const std::vector<std::string>& addresses) const {
    std::string text = "version: 1\ninstances:\n";
    for (std::size_t i = 0; i < addresses.size(); ++i)
        text += fmt::format("  - {{id: p{}, via: usb, address: '{}'}}\n", i, addresses[i]);
    return dir_.write("inventory.yaml", text).string();
}

}  // namespace drover::test
