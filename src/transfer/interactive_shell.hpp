// A shell of one phone with a person, or a pipe, at its other end: keys in, screen out, window sizes, exit code.
//
// Threads: the phone's loop; on_shell_…() of the sink are called there. Ownership: phone and sink outlive it. Failure: on_end(), the
// last call, comes exactly once; it may not destroy the shell. Memory: kPendingBytesMax of keys: past that the user waits
// for on_room(). Output waits with the phone until acknowledge().
#pragma once
#include <optional>
#include <string>

#include "adb/shell.hpp"
#include "dispatch/link_wait.hpp"

namespace drover::transfer {

struct WindowSize {
    unsigned rows = 0, columns = 0, width = 0, height = 0;  // width and height in pixels, mostly 0
};

class InteractiveSink {
public:
    virtual void on_open() = 0;                                       // from now on keys go to the phone
    virtual void on_output(OutputStream stream, ByteView bytes) = 0;  // acknowledge() lets more come
    virtual void on_room() = 0;                                       // all keys so far are on their way
    // The exit code; none where the phone is too old to tell. Or why it broke off.
    virtual void on_end(const Result<std::optional<int>>& end) = 0;

protected:
    ~InteractiveSink() = default;
};

class InteractiveShell final : private dispatch::LinkOwner, private adb::StreamHandler, private adb::ShellOutputSink {
public:
    static constexpr std::size_t kPendingBytesMax = 64 * 1024;

    struct Options {
        bool terminal = true;  // a pty on the phone; else plain pipes
        std::string term = "dumb";
        std::string command;  // empty: the phone's shell
        WindowSize size;
        Limits limits;  // connect, auth, open
    };
    InteractiveShell(fleet::Phone& phone, InteractiveSink& sink, Options options);
    ~InteractiveShell();
    InteractiveShell(const InteractiveShell&) = delete;
    InteractiveShell& operator=(const InteractiveShell&) = delete;

    void start();
    void type(ByteView keys);
    void end_of_input();
    void resize(const WindowSize& size);
    void acknowledge();

private:
    void on_link(adb::Carrier& carrier) override;
    void on_no_link(const Error& why, Phase phase) override;
    void on_open() override;
    adb::Ack on_data(ByteView bytes) override;
    void on_writable() override { flush(); }
    void on_closed(const std::optional<Error>& why) override;
    void on_shell_bytes(OutputStream stream, ByteView bytes) override;
    void on_deadline();
    void packet(adb::ShellId id, ByteView data);
    void flush();
    void end(const Result<std::optional<int>>& end);

    fleet::Phone& phone_;
    InteractiveSink& sink_;
    const Options options_;
    dispatch::LinkWait link_;
    adb::Carrier* carrier_ = nullptr;
    adb::StreamId id_ = 0;
    bool v2_ = false;
    bool open_ = false;
    bool ended_ = false;
    adb::ShellV2Parser parser_;
    std::string early_;  // typed before it was open
    bool input_ended_ = false;
    std::string pending_;
    Timer open_deadline_ = Timer::calls<&InteractiveShell::on_deadline>(*this);
};

}  // namespace drover::transfer
