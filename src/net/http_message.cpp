#include "net/http_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace drover::net {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

const std::string* find(const std::vector<Header>& headers, std::string_view name) {
    const auto it =
        std::find_if(headers.begin(), headers.end(), [&](const Header& h) { return same_header_name(h.name, name); });
    return it == headers.end() ? nullptr : &it->value;
}

// A line break in a value would begin a header of somebody else's choice.
bool is_clean(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

bool same_header_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

const std::string* Request::header(std::string_view name) const { return find(headers, name); }
const std::string* Response::header(std::string_view name) const { return find(headers, name); }

std::size_t Request::count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::count_if(headers.begin(), headers.end(), [&](const Header& h) { return same_header_name(h.name, name); }));
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 200: return "OK";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 413: return "Content Too Large";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 503: return "Service Unavailable";
        default: return "Status";
    }
}

std::string to_chunk(std::string_view bytes) { return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes); }

std::string to_wire(const Response& response, const WireForm& form) {
    std::string out;
    out.reserve(256 + response.body.size());
    const auto to = std::back_inserter(out);
    fmt::format_to(to, "HTTP/1.{} {} {}\r\n", form.http_1_0 ? 0 : 1, response.status, reason_phrase(response.status));
    for (const auto& h : response.headers) {
        if (is_clean(h.name) && is_clean(h.value)) fmt::format_to(to, "{}: {}\r\n", h.name, h.value);
    }
    if (response.stream) {
        if (!form.http_1_0) out += "Transfer-Encoding: chunked\r\n";
    } else if (response.status != 204) {
        fmt::format_to(to, "Content-Length: {}\r\n", response.body.size());
    }
    if (!form.keep_alive) {
        out += "Connection: close\r\n";
    } else if (form.http_1_0) {
        out += "Connection: keep-alive\r\n";
    }
    out += "\r\n";
    if (!form.head && response.status != 204) out += response.body;
    return out;
}

}  // namespace drover::net
