// A job as it stands in its file, checked; files that it uses are put in. Immutable once parsed; any thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.hpp"
#include "base/yaml_tree.hpp"
#include "job/action.hpp"
#include "job/expression.hpp"
#include "job/template.hpp"

namespace drover::job {

constexpr std::size_t kJobBytesMax = 1024 * 1024;
constexpr std::size_t kStepsMax = 200;  // of one file, and of all together
constexpr std::size_t kVarsMax = 200;
constexpr std::size_t kEnvMax = 100;
constexpr std::size_t kSecretsMax = 50;
constexpr std::size_t kRunBytesMax = 64 * 1024;    // of one step, before values are put in
constexpr std::size_t kValueBytesMax = 16 * 1024;  // of one var or env value
constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kRetriesMax = 20;
constexpr std::size_t kCombinationsMax = 64;  // of strategy.matrix
constexpr std::size_t kBatchesMax = 50;       // of strategy.rollout.serial
constexpr std::size_t kUsesDepthMax = 8;      // files that use files

struct EnvVar {
    std::string name;
    Template value;
};

struct Retry {
    std::size_t max = 0;    // attempts after the first
    Millis backoff{1'000};  // before the first of them; twice as long before each next one
    bool on_class[6] = {false, true, true, true, true, true};  // by ErrorClass
    bool on_timeout = true;
};
constexpr Millis kBackoffMax{60'000};

struct Step {
    std::string name;
    std::string kind;  // the key that says what it does: "run"
    std::shared_ptr<const Action> action;
    std::vector<Expression> conditions;  // all must hold; those of the steps that use this file before its own
    std::string if_text;                 // the same for people
    std::vector<EnvVar> env;             // of the job, then of the step
    std::optional<Millis> timeout;
    Retry retry;
    bool continue_on_error = false;
    bool idempotent = false;
    std::vector<int> ok_codes;               // empty: 0
    std::optional<std::size_t> output_slot;  // where `register` keeps its output
    yaml::Mark mark;
    std::string file;  // where the mark is
};

struct Secret {
    std::string name;
    std::string env;             // either the name of an environment variable
    std::filesystem::path file;  // or a file, relative to the job's
};

// A number of phones: of all targets when it is a percentage.
struct Share {
    std::size_t number = 0;
    bool percent = false;
    std::size_t of(std::size_t all) const { return percent ? all * number / 100 : number; }
};

struct Rollout {
    std::vector<Share> serial;  // phones of each batch; the last one repeats
    std::optional<Share> max_failed;
    std::optional<Share> max_lost;  // of them for link, host, infra, or absent; none: they count as failed
    std::optional<Millis> pause;    // between batches
};

struct Strategy {
    std::optional<TransferTurns> transfers;  // bulk transfers at once; none: as the fleet says
    std::size_t max_parallel = 0;            // 0: all
    bool fail_fast = false;
    bool sync_steps = false;
    std::optional<Rollout> rollout;
    std::vector<std::string> matrix_keys;
    std::vector<std::vector<std::string>> matrix;  // the values of each combination; none: no matrix
};

// Which of the phones that `on` names: so many that are idle, once there are so many.
struct Choice {
    std::size_t count = 0;  // 0: all of them
    std::optional<Millis> wait;
};

// A program of this host that is told how a run ended.
struct Notification {
    enum class When : std::uint8_t { always, failure, success };  // failure: the exit code is not 0
    When when = When::always;
    std::vector<std::string> argv;
    Millis timeout{30'000};
};

struct Model {
    std::string file;  // as it stands in messages
    std::string name;
    std::optional<std::string> on;
    std::optional<Choice> choice;  // none: all that `on` names, as they are
    std::optional<Millis> timeout;
    std::filesystem::path artifacts;  // empty: none
    std::vector<Secret> secrets;
    Strategy strategy;
    std::vector<Step> steps;    // at least one
    std::vector<Step> finally;  // after them, whatever became of them
    std::vector<Notification> notify;
    std::size_t output_slots = 0;
    bool asks_phone = false;              // some expression holds phone.NAME
    std::vector<std::string> used_files;  // besides `file`
};

}  // namespace drover::job
