#include "drover/job.hpp"

#include <fmt/format.h>

#include "base/ascii.hpp"
#include "base/yaml_tree.hpp"
#include "job/parse.hpp"
#include "job/plan.hpp"

namespace drover {

tl::expected<Job, std::vector<Error>> Job::parse(std::string_view text, std::string_view file_name) {
    auto model = job::parse_job(text, std::string(file_name));
    if (!model) return tl::unexpected(std::move(model.error()));
    return Job(std::make_shared<const job::Model>(*std::move(model)));
}

tl::expected<Job, std::vector<Error>> Job::load(const std::filesystem::path& file) {
    const yaml::Source source{file.string(), Code::bad_job, job::kJobBytesMax};
    const auto text = yaml::read_text(source);
    if (!text) return tl::unexpected(std::vector{text.error()});
    return parse(*text, source.file);
}

std::vector<std::string> Job::step_directories() const {
    std::vector<std::string> out;
    for (const auto& planned : job::planned_steps(*model_)) {
        auto name = planned.step->name;
        const auto of = job::combination_text(*model_, planned.combination);
        if (!of.empty()) name += "-" + of;
        for (char& c : name) {
            const bool plain = is_alnum(c) || c == '.' || c == '_';
            if (!plain) c = '-';
        }
        constexpr std::size_t kNameMax = 100;
        out.push_back(fmt::format("{:02}-{}", out.size() + 1, name.substr(0, kNameMax)));
    }
    return out;
}

std::chrono::milliseconds Job::finally_limit(const Limits& limits) const {
    std::chrono::milliseconds sum{0};
    for (const auto& step : model_->finally)
        sum += step.timeout.value_or(step.action->usual_timeout().value_or(limits.total)) *
               static_cast<long>(step.retry.max + 1);
    return sum;
}

const std::string& Job::name() const { return model_->name; }
const std::optional<std::string>& Job::on() const { return model_->on; }

}  // namespace drover
