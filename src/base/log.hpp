// The log: always stderr, never stdout, which belongs to results. Any thread.
// Set up once by the program; a library user who sets nothing gets warnings and errors.
#pragma once
#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>

namespace drover::log {

enum class Level { debug, info, warn, error };

enum class Form { text, json };  // json: one object per line, with the time

void set_level(Level level);
void set_form(Form form);
bool enabled(Level level);
void write(Level level, std::string_view text);

// An event with members that a program may ask for: JSON has them as strings beside the message, text as key=value after it.
// Names are ours, never a peer's.
struct Field {
    std::string_view name;
    std::string value;
};
void event(Level level, std::string_view message, std::initializer_list<Field> fields);

template <class... A>
void debug(fmt::format_string<A...> f, A&&... a) {
    if (enabled(Level::debug)) write(Level::debug, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void info(fmt::format_string<A...> f, A&&... a) {
    if (enabled(Level::info)) write(Level::info, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void warn(fmt::format_string<A...> f, A&&... a) {
    if (enabled(Level::warn)) write(Level::warn, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void error(fmt::format_string<A...> f, A&&... a) {
    if (enabled(Level::error)) write(Level::error, fmt::format(f, std::forward<A>(a)...));
}

}  // namespace drover::log
