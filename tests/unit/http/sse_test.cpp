#include "http/sse.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace drover::http {
namespace {

std::vector<std::string> read_in_pieces(std::string_view text, std::size_t piece) {
    EventReader reader;
    std::vector<std::string> events;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        EXPECT_TRUE(reader.take(text.substr(at, piece),
                                [&](const auto& event) { events.push_back(event.name + "|" + event.data); }));
    }
    return events;
}

TEST(Sse, AnEventIsReadBackInWhateverPiecesItComes) {
    boost::json::object data;
    data["text"] = "two\nlines: and a colon";
    const auto text = event_text("row", data) + std::string(kHeartbeat) + event_text("end", {});
    EXPECT_EQ(text.substr(0, 17), "event: row\ndata: ");
    const std::vector<std::string> expected{R"(row|{"text":"two\nlines: and a colon"})", "end|{}"};
    for (const std::size_t piece : {1, 2, 7, 1000}) EXPECT_EQ(read_in_pieces(text, piece), expected) << piece;
}

TEST(Sse, OddButAllowedFormsAreRead) {
    EXPECT_EQ(read_in_pieces("data:a\r\ndata: b\r\n\r\nretry: 5\nid\n\n: x\n\nevent: e\n\n", 3),
              std::vector<std::string>{"|a\nb"});
}

TEST(Sse, AnEventWithoutAnEndIsRefusedAtTheLimit) {
    EventReader reader;
    const std::string piece(1024 * 1024, 'x');
    std::size_t taken = 0;
    while (reader.take(piece, [](const auto&) { ADD_FAILURE(); })) ++taken;
    EXPECT_EQ(taken * piece.size(), kEventBytesMax);
    EXPECT_FALSE(reader.take("\n\n", [](const auto&) { ADD_FAILURE(); })) << "it must not begin again in the middle";
}

}  // namespace
}  // namespace drover::http
