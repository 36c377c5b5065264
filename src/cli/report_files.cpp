#include "cli/report_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "cli/terminal.hpp"
#include "report/html.hpp"
#include "report/junit.hpp"

namespace drover::cli {
namespace {

namespace fs = std::filesystem;

// A page that may be moved together with its artifacts finds them all the same. One that goes into a pipe is nobody knows where.
fs::path seen_from(const fs::path& report, bool in_place, const fs::path& artifacts) {
    if (artifacts.empty()) return {};
    const auto there = fs::absolute(artifacts).lexically_normal();
    return in_place ? there : there.lexically_relative(fs::absolute(report).lexically_normal().parent_path());
}

// Which open file of this process /proc/self/fd/1 is, to which /dev/stdout leads: what it was opened for is written on from where it is.
std::optional<int> own_descriptor(const fs::path& path) {
    std::error_code error;
    if (fs::canonical(path.parent_path(), error) != fs::canonical("/proc/self/fd", error) || error) return std::nullopt;
    const auto name = path.filename().string();
    int number = -1;
    const auto [end, wrong] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (wrong != std::errc() || end != name.data() + name.size()) return std::nullopt;
    return number;
}

std::string file_text(const ReportFile& file, bool in_place, const ReportContents& what) {
    switch (file.kind) {
        case ReportFile::Kind::junit:
            return report::document_junit(what.name, what.summary, what.rows, report::JunitSuite::phone,
                                          what.artifacts.string());
        case ReportFile::Kind::junit_steps:
            return report::document_junit(what.name, what.summary, what.rows, report::JunitSuite::step,
                                          what.artifacts.string());
        case ReportFile::Kind::html:
            return report::document_html(what.name, what.summary, what.rows,
                                         seen_from(file.path, in_place, what.artifacts).string());
        case ReportFile::Kind::json: break;
    }
    return report::document_json(what.summary, what.rows, what.steps);
}

// A link stays one, and what it leads to is replaced. One that leads in a circle is replaced itself.
fs::path behind_links(const fs::path& path) {
    constexpr int kLinksMax = 40;  // Linux's own
    auto place = path;
    std::error_code error;
    for (int i = 0; i < kLinksMax && fs::is_symlink(fs::symlink_status(place, error)); ++i) {
        const auto next = fs::read_symlink(place, error);
        if (error || own_descriptor(place)) return place;
        place = place.parent_path() / next;
    }
    return place;
}

}  // namespace

Result<ReportFiles> ReportFiles::open(const std::vector<ReportFile>& wanted) {
    ReportFiles made;
    for (const auto& report : wanted) {
        const auto same = [&](const File& other) { return other.wanted.path == report.path; };
        if (std::any_of(made.files_.begin(), made.files_.end(), same))
            return fail(Code::usage, fmt::format("--report: {} is named twice", report.path.string()));
        File file{report, {}, {}, -1};
        std::error_code ignored;
        file.place = behind_links(report.path);
        if (const auto number = own_descriptor(file.place)) {
            file.fd = ::fcntl(*number, F_DUPFD_CLOEXEC, 0);
        } else {
            const auto status = fs::status(file.place, ignored);
            const bool in_place = fs::exists(status) && !fs::is_regular_file(status);
            if (!in_place) file.temporary = file.place.string() + fmt::format(".part-{}", ::getpid());
            const auto& path = in_place ? file.place : file.temporary;
            file.fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | (in_place ? O_APPEND : O_CREAT | O_EXCL), 0666);
        }
        if (file.fd < 0) {
            return fail(Code::usage, fmt::format("--report: {}: {}", report.path.string(), std::strerror(errno)));
        }
        made.files_.push_back(std::move(file));
    }
    return made;
}

ReportFiles::~ReportFiles() {
    for (const auto& file : files_) {
        if (file.fd < 0) continue;
        ::close(file.fd);
        if (!file.temporary.empty()) ::unlink(file.temporary.c_str());
    }
}

Result<void> ReportFiles::write(const ReportContents& what) {
    std::string problems;
    for (auto& file : files_) {
        const bool ok = write_all(file.fd, file_text(file.wanted, file.temporary.empty(), what)) &&
                        ::close(std::exchange(file.fd, -1)) == 0 &&
                        (file.temporary.empty() || ::rename(file.temporary.c_str(), file.place.c_str()) == 0);
        if (ok) continue;
        problems += fmt::format("{}--report: {}: {}", problems.empty() ? "" : "; ", file.wanted.path.string(),
                                std::strerror(errno));
        if (file.fd < 0 && !file.temporary.empty()) ::unlink(file.temporary.c_str());
    }
    if (!problems.empty()) return fail(Code::output_not_written, std::move(problems));
    return {};
}

}  // namespace drover::cli
