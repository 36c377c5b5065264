// What a step does. An Action is one kind of step as it stands in the file (steps/*.cpp); an Activity is one attempt of it,
// under way on one phone. A new kind of step is a file in steps/ with both, and a line in step_kinds.cpp.
//
// Threads: an Action is immutable, any thread; an Activity lives on its phone's loop. Ownership: whoever asked for the activity
// keeps it, the phone and the owner alive until on_outcome(), which comes exactly once, maybe from inside start(), stop() or
// expire(), and may destroy the activity. Failure: an Outcome with the exact code.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drover/command.hpp"
#include "drover/fleet.hpp"
#include "fleet/phone.hpp"
#include "job/template.hpp"

namespace drover::job {

struct Outcome {
    Code code = Code::ok;
    std::string message;  // as a row's error_msg: the documented sentence, and what is special
    std::optional<int> exit_code;
    Phase phase = Phase::done;
    bool opened = false;                  // something was begun on the phone, or on the host
    std::vector<TestCase> tests = {};     // of `instrument`
    std::vector<std::string> files = {};  // kept, below the artifacts directory
};

class ActivityOwner {
public:
    virtual void on_outcome(Outcome&& outcome) = 0;
    // Every byte of output. `later`: the activity holds its source back until resume() is called, by any thread.
    virtual OutputSink::Flow on_step_output(OutputStream stream, std::string_view bytes,
                                            std::function<void()> resume) = 0;

protected:
    ~ActivityOwner() = default;
};

class Activity {
public:
    virtual ~Activity() = default;
    virtual void start() = 0;
    // Ends it: closes what is open on the phone, and gives the outcome at once or after a bounded clean-up.
    virtual void stop(const Error& why) = 0;
    // As stop(), when a limit passed. `limit` says which.
    virtual void expire(std::string_view limit) = 0;
    // Of one that goes on behind later steps: the job is over, it ends by itself within seconds.
    virtual void wind_up() { stop(Error(Code::cancelled, "the job is over")); }
};

class HostRunner;
struct FileGround;

// What an action is given to begin.
struct ActivityContext {
    fleet::Phone& phone;
    ActivityOwner& owner;
    const Scope& scope;  // for the call only
    Limits limits;       // total: of this attempt
    std::vector<std::pair<std::string, std::string>> env;
    std::size_t target = 0;
    std::size_t step = 0;  // position in the plan
    std::string_view step_name;
    HostRunner* host = nullptr;         // outlives the activity, as does:
    const FileGround* files = nullptr;  // where needs_files()
    std::size_t attempt = 1;            // of this step on this phone
    bool resumed = false;               // what the step kept may be there already
};

class Action {
public:
    virtual ~Action() = default;
    // Code::step_impossible: what the job asks for cannot be made for this phone.
    virtual Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const = 0;
    // For people, before anything runs: the exact command, or what is done instead of one. `exports`: env, as a shell line.
    virtual std::string describe(const Scope& scope, std::string_view exports) const = 0;
    virtual void each_template(const std::function<void(const Template&)>& tell) const = 0;
    // How long it may take when nobody said; nullopt: as long as any command.
    virtual std::optional<Limits::Millis> usual_timeout() const { return std::nullopt; }
    // Its activity goes on behind the steps that follow, until the job is over.
    virtual bool goes_on() const { return false; }
    virtual bool runs_once() const { return false; }   // for all phones together
    virtual bool needs_host() const { return false; }  // context.host is there
    // context.files is there.
    virtual bool needs_files() const { return false; }
    // Files of this host that it needs, whatever the phone.
    virtual std::vector<std::string> sources() const { return {}; }
    // What it keeps goes to the artifacts directory: nothing else was named.
    virtual bool needs_artifacts() const { return false; }
};

// `export K='v'; ` for each.
std::string shell_exports(const std::vector<std::pair<std::string, std::string>>& env);

}  // namespace drover::job
