#pragma once

#include "sim/world/hub.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace orch::sim::world {

// An engine as its machine sees it: a process that loads, serves so many requests at once, can be
// frozen, and outlives the daemon that started it.
class EngineProcess {
public:
    // Hears of every piece, from 0, and of the end of an answer.
    struct Listener {
        std::function<void(std::uint32_t piece)> on_piece;
        std::function<void()> on_end;
        std::function<void()> on_cut;  // the process died
    };

    enum class State { loading, serving, gone };

    EngineProcess(Hub& hub, std::size_t node, std::int64_t pid, std::uint32_t slots);

    void load(Duration takes);

    // False when nothing listens. A frozen one takes it and says nothing.
    // The answer begins with the piece `from`: those before are part of its prompt.
    bool begin(std::uint64_t work, const Request& request, std::uint32_t from, Listener listener);

    // The caller is gone: the slot is busy until the batch ends.
    void abandon(std::uint64_t work);

    void signal(bool forcibly);
    void die();
    void freeze(bool frozen);

    State state() const { return state_; }

    bool frozen() const { return frozen_; }

    std::int64_t pid() const { return pid_; }

    std::size_t busy() const { return works_.size(); }

    std::function<void()> on_exit;  // of the daemon whose child it is; none for an orphan

private:
    struct Work {
        Listener listener;
        std::uint32_t pieces = 0;
        std::uint32_t told = 0;
        Duration pace{};
        bool streams = false;
        bool abandoned = false;
    };

    void later(Duration delay, std::function<void()> act);
    void go_on(std::uint64_t work);
    void leave_if_asked();

    Hub& hub_;
    std::size_t node_;
    std::int64_t pid_;
    std::uint32_t slots_;
    State state_ = State::loading;
    bool frozen_ = false;
    bool was_frozen_ = false;
    unsigned terms_ = 0;
    std::map<std::uint64_t, Work> works_;
    std::vector<std::function<void()>> held_;  // what a frozen process would have done
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace orch::sim::world
