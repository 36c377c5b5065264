// `--report`: the rows in files besides what is shown. Main thread.
//
// The files are opened before anything is sent, under a name of their own beside the wanted one, and take its place when they are
// whole: nobody ever reads half a report. Where the name is a link, that is done behind it. What is not a regular file (a FIFO), and
// what this process has open (/dev/stdout, whatever that is), is written in place.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "report/json.hpp"

namespace drover::cli {

struct ReportContents {
    std::string_view name;  // the job's, or the command
    const report::Summary& summary;
    std::span<const Row> rows;
    report::Steps steps;
    std::filesystem::path artifacts;  // what the files of the steps are below; empty: there are none
};

class ReportFiles {
public:
    static Result<ReportFiles> open(const std::vector<ReportFile>& wanted);
    ReportFiles(ReportFiles&&) noexcept = default;
    ReportFiles& operator=(ReportFiles&&) noexcept = default;
    ~ReportFiles();  // removes what was not written

    // Failure: all files were tried; the error names those that could not be written.
    Result<void> write(const ReportContents& what);

private:
    struct File {
        ReportFile wanted;
        std::filesystem::path place;      // where its links lead
        std::filesystem::path temporary;  // empty: written in place
        int fd = -1;
    };
    ReportFiles() = default;
    std::vector<File> files_;
};

}  // namespace drover::cli
