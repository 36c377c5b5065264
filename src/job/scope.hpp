// What the names in a job file's expressions stand for: while the file is read (NameTable), and on one phone while the job
// runs (Scope). Values and references; a NameTable is used by one thread, a Scope on its phone's loop.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drover/instance.hpp"
#include "drover/row.hpp"
#include "job/value.hpp"

namespace drover::job {

class Template;

// What `register` keeps of a step.
struct Output {
    std::string out, err;  // without the line ends at their end, as $(..) gives it
    std::optional<int> exit_code;
    Code code = Code::ok;
    bool skipped = false;
    std::uint64_t ms = 0;
};

enum class OutputField : std::uint8_t { out, err, exit_code, ok, code, ms };

// phone.NAME is this property; asked of the phone once, before the first step, when the job uses one.
struct PhoneFact {
    std::string_view name, property;
    Type type = Type::text;
};
std::span<const PhoneFact> phone_facts();

// A name of an expression, resolved while the file is read.
struct Name {
    enum class Kind : std::uint8_t { fact, phone, output, matrix, secret, run, var };
    Kind kind = Kind::fact;
    std::string text;       // as written; of a fact: instance, serial, labels.KEY
    std::size_t index = 0;  // phone: of phone_facts(); output: its slot; matrix, secret: in the job's list
    OutputField field = OutputField::out;
    Type type = Type::text;
    std::shared_ptr<const Template> value;  // var
};

struct NameTable {
    std::map<std::string, std::shared_ptr<const Template>, std::less<>> vars;
    std::map<std::string, std::size_t, std::less<>> outputs;  // those registered so far
    std::vector<std::string> matrix;                          // keys
    std::vector<std::string> secrets;                         // names

    // The error says what there is instead.
    tl::expected<Name, std::string> resolve(std::string_view name) const;
};

// How things stand on this phone: what success(), failure() and cancelled() ask.
enum class Standing : std::uint8_t { good, failed, cancelled };

struct Scope {
    const Instance& phone;
    std::span<const std::string> phone_values;       // in the order of phone_facts(); empty: not asked
    std::span<const std::optional<Output>> outputs;  // by slot
    std::span<const std::string> matrix;             // of this combination
    std::span<const std::string> secrets;
    std::string_view run_id;
    Standing standing = Standing::good;

    // Missing where the phone has no such label or serial, or the step did not run. A var is its template's affair.
    Value value_of(const Name& name) const;
};

// instance, serial, labels.KEY of one phone; empty when it has none.
std::optional<std::string> fact_of(const Instance& phone, std::string_view name);
bool is_fact_name(std::string_view name);

}  // namespace drover::job
