// One request on its way through the service. Private to the service; touched by one thread at a time.
#pragma once
#include <string>
#include <vector>

#include "http/service.hpp"

namespace drover::http {

struct Service::Exchange {
    Exchange(net::Request r, net::Reply p) : request(std::move(r)), reply(std::move(p)) {}

    net::Request request;
    net::Reply reply;
    std::string request_id;
    bool own_request_id = false;  // we made it up
    Caller caller;
    Routed routed;
    AuditEntry audit;
    bool audited = false;  // worth a line
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
};

}  // namespace drover::http
