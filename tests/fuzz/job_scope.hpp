// What expressions and templates are read in, for their fuzzers: a bit of everything that a job can name.
#pragma once
#include "job/template.hpp"

namespace drover::fuzz {

inline const job::NameTable& job_names() {
    static const auto table = [] {
        job::NameTable out;
        out.vars.emplace("v", std::make_shared<const job::Template>(job::Template::literal("it's $(x) 12")));
        out.outputs = {{"o", 0}, {"none", 1}};
        out.matrix = {"m"};
        out.secrets = {"S"};
        return out;
    }();
    return table;
}

struct JobScope {
    Instance phone;
    std::vector<std::string> values = std::vector<std::string>(job::phone_facts().size(), "34");
    std::vector<std::string> matrix{"m"}, secrets{"s3cret"};
    std::vector<std::optional<job::Output>> outputs{job::Output{"1\n2", "e", 3, Code::ok, false, 1}, std::nullopt};
    job::Scope scope{phone, values, outputs, matrix, secrets, "r", job::Standing::failed};

    JobScope() {
        phone.id = "p";
        phone.labels = {{"k", "v"}};
    }
    JobScope(const JobScope&) = delete;
    JobScope& operator=(const JobScope&) = delete;
};

}  // namespace drover::fuzz
