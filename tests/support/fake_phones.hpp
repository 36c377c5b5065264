// Phones that answer as a test says, without any link. Any thread. A command runs until the test ends it, or ends at once.
#pragma once
#include <condition_variable>
#include <map>
#include <mutex>

#include "task/phones.hpp"

namespace drover::test {

class FakePhones final : public task::Phones {
public:
    explicit FakePhones(std::vector<std::string> ids) : ids_(std::move(ids)) {}

    bool hold = false;               // commands run until release()
    std::map<std::string, Row> say;  // the row of a phone; others are ok with "out of ID"
    std::map<std::string, PhoneStatus> states;

    // "ID COMMAND" of each command that was opened.
    std::vector<std::string> opened() {
        const std::lock_guard lock(mutex_);
        return opened_;
    }
    void wait_opened(std::size_t n) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return opened_.size() >= n; });
    }
    ExecOptions last_options() {
        const std::lock_guard lock(mutex_);
        return last_;
    }
    void release() {
        std::vector<std::shared_ptr<State>> all;
        {
            const std::lock_guard lock(mutex_);
            all.swap(held_);
        }
        for (auto& state : all) state->end(std::nullopt);
    }

    bool knows(const std::string& id) const override { return std::find(ids_.begin(), ids_.end(), id) != ids_.end(); }
    std::vector<std::string> ids() const override { return ids_; }
    Result<std::vector<std::string>> select(std::string_view selector) const override {
        if (selector == "all") return ids_;
        if (knows(std::string(selector))) return std::vector<std::string>{std::string(selector)};
        return fail(Code::bad_selector, "no such phone");
    }
    std::optional<PhoneStatus> status(const std::string& id) const override {
        if (const auto it = states.find(id); it != states.end()) return it->second;
        return knows(id) ? std::optional(PhoneStatus()) : std::nullopt;
    }
    fleet::Holds& holds() override { return holds_; }
    std::unique_ptr<Call> exec(const std::vector<std::string>& ids, ExecOptions options, RowSink& sink) override {
        auto state = std::make_shared<State>(sink);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            Row row;
            Instance phone;
            phone.id = ids[i];
            const auto refused = options.admit ? options.admit(phone) : std::nullopt;
            if (refused) {
                row.code = refused->code;
                row.error_msg = refused->message;
            } else if (const auto it = say.find(ids[i]); it != say.end()) {
                row = it->second;
            } else {
                row.execute_msg = "out of " + ids[i];
                row.attempts = 1;
                row.exit_code = 0;
            }
            row.index = i;
            row.instance_id = ids[i];
            state->rows.push_back(std::move(row));
        }
        {
            const std::lock_guard lock(mutex_);
            for (const auto& row : state->rows) {
                if (row.code != Code::held) opened_.push_back(row.instance_id + " " + options.command.text);
            }
            last_ = options;
            if (hold) held_.push_back(state);
        }
        changed_.notify_all();
        if (!hold) state->end(std::nullopt);
        return std::make_unique<HeldCall>(state);
    }

private:
    struct State {
        explicit State(RowSink& s) : sink(s) {}
        RowSink& sink;
        std::vector<Row> rows;
        std::mutex mutex;
        std::condition_variable ended;
        bool done = false;

        void end(const std::optional<Error>& why) {
            const std::lock_guard lock(mutex);
            if (done) return;
            for (auto row : rows) {
                if (why) row.code = why->code, row.error_msg = why->message, row.exit_code.reset();
                sink.on_row(std::move(row));
            }
            sink.on_done();
            done = true;
            ended.notify_all();
        }
    };
    struct HeldCall final : Call {
        explicit HeldCall(std::shared_ptr<State> s) : state(std::move(s)) {}
        ~HeldCall() override { wait(); }
        void stop(Error why) override { state->end(why); }
        void wait() override {
            std::unique_lock lock(state->mutex);
            state->ended.wait(lock, [&] { return state->done; });
        }
        std::shared_ptr<State> state;
    };

    std::vector<std::string> ids_;
    fleet::Holds holds_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> opened_;
    ExecOptions last_;
    std::vector<std::shared_ptr<State>> held_;
};

}  // namespace drover::test
