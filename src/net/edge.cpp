#include "net/edge.hpp"

#include <fmt/format.h>

namespace orch::net {
namespace {

constexpr Duration kRepeatCancel = std::chrono::milliseconds(5);

async::TaskGroup::OnBug report_to(Logger log) {
    return [log = std::move(log)](const std::string& what) {
        log.error("a task ended with an exception", {{"what", what}});
    };
}

}  // namespace

Edge::Edge(std::size_t index, async::AsyncClock& clock, Logger log)
    : index_(index),
      clock_(clock),
      deadlines_(clock),
      clients_(loop_.executor(), deadlines_),
      timers_(loop_.executor(), report_to(log)),
      tasks_(loop_.executor(), report_to(log)),
      closing_(loop_.executor(), report_to(log)) {}

void Edge::start() {
    loop_.post([this] { timers_.spawn(deadlines_.run()); });
    loop_.start(fmt::format("edge-{}", index_));
}

void Edge::stop() {
    loop_.post([this] { closing_.spawn(wind_down()); });
    loop_.finish();
}

Task<void> Edge::wind_down() {
    // Cancelling ends what a task awaits now. One that goes on to something else, the next attempt
    // of a request for example, has to be told again.
    while (tasks_.size() != 0) {
        tasks_.cancel();
        co_await clock_.sleep_for(kRepeatCancel);
    }
    clients_.close_idle();
    timers_.cancel();
}

}  // namespace orch::net
