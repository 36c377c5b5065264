// One exec or run under way, its rows sent as they end. Private to the service.
//
// Threads: rows and output come on the phones' loops, stop() from any; what follows the last row happens on a worker, since a Call
// must not be destroyed inside its own sink. Failure: a client that goes away stops its call; its phones are freed. A connection
// that does not acknowledge the heartbeat counts as gone.
#pragma once
#include <mutex>
#include <unordered_set>
#include <vector>

#include "http/open_call.hpp"

namespace drover::http {

class Service::RowStream final : public OpenCall, public RowSink, public OutputSink {
public:
    RowStream(Service& service, ExchangePtr x, std::shared_ptr<Fleet> fleet, std::vector<std::size_t> targets,
              std::string id = task::new_id());

    // Takes the phones for this call alone, until its last row. Those that another run holds get a row that says so, and are
    // sent nothing. Before start().
    void hold(const std::string& job);
    // Answers with the head of the stream, says what was chosen, and begins.
    void start(const Starter& starter, bool with_output, std::size_t disabled_left_out);

    void stop(const Error& why) override;
    void on_server_stop() override { stop(Error(Code::cancelled, "the drover server ends")); }

    void on_row(Row row) override;
    void on_done() override;
    Flow on_output(std::size_t target, OutputStream stream, std::string_view bytes,
                   std::function<void()> resume) override;

private:
    void open_stream();
    void tell(const Row& row);
    void resume_all();
    void finish();
    std::size_t place_of(std::size_t target) const { return places_.empty() ? target : places_[target]; }
    boost::json::object begin_object(std::size_t disabled_left_out) const;

    const std::shared_ptr<Fleet> fleet_;
    const std::vector<std::size_t> targets_;
    bool holding_ = false;
    std::vector<std::size_t> places_;  // among the targets, of those that the call is for; empty: it is for all
    std::vector<Row> refused_;         // the rows of the others
    std::shared_ptr<net::BodyStream> body_;

    std::mutex mutex_;
    std::unique_ptr<drover::Call> call_;
    std::optional<Error> stop_why_;    // came before the call had begun
    std::shared_ptr<OpenCall> self_;   // while the call runs
    std::size_t ok_ = 0, failed_ = 0;  // one row at a time

    std::mutex held_mutex_;
    std::vector<std::function<void()>> held_;  // phones that wait until the client has read
};

}  // namespace drover::http
