#include "report/lines.hpp"

#include <array>

#include "report/failure.hpp"
#include "report/printable.hpp"

namespace drover::report {
namespace {

class Assembler {
public:
    Assembler(const Row& row, const LinesStyle& style) : prefix_(row.instance_id + ": "), style_(style) {}

    void feed(OutputStream stream, std::string_view text) {
        auto& open = open_of(stream);
        while (true) {
            const auto newline = text.find('\n');
            open += text.substr(0, newline);
            if (newline == std::string_view::npos) return;
            emit(stream, open);
            open.clear();
            text.remove_prefix(newline + 1);
        }
    }

    void finish() {
        for (const auto stream : {OutputStream::out, OutputStream::err}) {
            if (!open_of(stream).empty()) emit(stream, open_of(stream));
            open_of(stream).clear();
        }
    }

    void say(std::string_view text, bool bad) {
        const bool red = bad && style_.color_err;
        append(OutputStream::err,
               (red ? "\x1b[31m" : "") + prefix_ + std::string(text) + (red ? "\x1b[0m" : "") + "\n");
    }

    std::vector<Piece> take() { return std::move(pieces_); }

private:
    std::string& open_of(OutputStream stream) { return open_[stream == OutputStream::out ? 0 : 1]; }

    void emit(OutputStream stream, std::string_view line) {
        const bool escape = stream == OutputStream::out ? style_.escape_out : style_.escape_err;
        // A phone without the shell protocol ends its lines with CR LF.
        if (escape && line.ends_with('\r')) line.remove_suffix(1);
        append(stream, prefix_ + (escape ? printable(line, Layout::keep) : std::string(line)) + "\n");
    }

    void append(OutputStream stream, const std::string& text) {
        if (pieces_.empty() || pieces_.back().stream != stream) pieces_.push_back({stream, {}});
        pieces_.back().text += text;
    }

    const std::string prefix_;
    const LinesStyle& style_;
    std::array<std::string, 2> open_;  // the unfinished line of each stream
    std::vector<Piece> pieces_;
};

}  // namespace

std::vector<Piece> lines_of(const Row& row, const LinesStyle& style) {
    Assembler lines(row, style);
    const std::string_view all = row.execute_msg;
    std::size_t begin = 0;
    for (const auto& run : row.runs) {
        const auto end = std::min<std::size_t>(run.end, all.size());
        if (end > begin) lines.feed(run.stream, all.substr(begin, end - begin));
        begin = std::max(begin, end);
    }
    if (begin < all.size()) lines.feed(OutputStream::out, all.substr(begin));
    lines.finish();
    if (const auto cut = truncation_line(row); !cut.empty()) lines.say(cut, false);
    if (const auto failure = failure_line(row); !failure.empty()) lines.say(failure, true);
    return lines.take();
}

}  // namespace drover::report
