// Any text as a job: never a crash, every mistake with a place, and every command of an accepted job is one a shell can take.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "job/parse.hpp"
#include "job/plan.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace drover;
    const auto parsed = job::parse_job(as_text({data, size}), "f", [](const std::string& file) -> Result<std::string> {
        return fail(Code::bad_job, file + ": no files here");
    });
    if (!parsed) {
        DROVER_ASSERT(!parsed.error().empty());
        for (const Error& error : parsed.error()) {
            DROVER_ASSERT(error.code == Code::bad_job && error.message.rfind("f:", 0) == 0);
            DROVER_ASSERT(error.message.find('\n') == std::string::npos);
        }
        return 0;
    }
    DROVER_ASSERT(!parsed->steps.empty() && parsed->steps.size() <= job::kStepsMax);
    Instance phone;
    phone.id = "p";
    phone.address = Serial{"it's"};
    phone.labels = {{"k", "v"}};
    const Instance* const phones[] = {&phone};
    (void)job::check_facts(*parsed, phones);
    for (const auto& planned : job::planned_steps(*parsed)) {
        const std::vector<std::string> secrets(parsed->secrets.size(), "***");
        const job::Scope scope{
            phone, {}, {}, job::combination_values(*parsed, planned.combination), secrets, "r", job::Standing::good};
        DROVER_ASSERT(job::describe(*planned.step, scope).find('\0') == std::string::npos);
        for (const auto& condition : planned.step->conditions) (void)condition.evaluate(scope);
    }
    return 0;
}
