#pragma once

#include "base/log.hpp"
#include "base/log_capture.hpp"
#include "control/placement/placement_request.hpp"
#include "sim/world/chance.hpp"
#include "sim/world/event_heap.hpp"
#include "sim/world/network.hpp"
#include "sim/world/options.hpp"
#include "sim/world/trace.hpp"
#include "sim/world/world_clock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What all parts of a simulated world share.
namespace orch::sim::world {

class ControlPlane;
class NodeHost;

// How a request ended, as its client saw it.
enum class Ending : std::uint8_t {
    served,
    broken,       // an error event behind the first bytes
    failed,       // an error instead of an answer
    rejected,     // the queue was full, or the wait too long
    client_left,  // nobody was there to see it
    cut_off,      // the control plane died: the connection is gone
    refused,      // nobody listens: the control plane is down
};

inline constexpr std::size_t kEndings = 7;

inline constexpr std::array<std::string_view, kEndings> kEndingNames{
    "served", "broken", "failed", "rejected", "client left", "cut off", "refused"
};

// One attempt's connection from an edge to a node.
struct Call {
    std::size_t request = 0;
    std::size_t node = 0;
    PoolId pool;
    std::shared_ptr<Stream> stream = std::make_shared<Stream>();
    std::uint32_t from = 0;  // the first piece that is wanted
    bool reused = false;     // an idle connection of the pool: no connecting first
    bool working = false;    // an engine has begun
    bool concluded = false;  // the edge knows that nothing more comes, or wants nothing more
};

struct Request {
    std::size_t id = 0;
    control::placement::PlacementRequest wish;
    bool streams = true;
    bool can_go_on = true;     // a stream that breaks, elsewhere
    Duration prompt{};         // until the first piece
    Duration pace{};           // between two pieces
    std::uint32_t pieces = 1;  // of the answer
    Duration patience = Duration::max();
    std::optional<Ending> ending;
    std::vector<std::shared_ptr<Call>> calls;  // until it has ended
};

// Whoever finds a rule broken says so here; the first sentence ends the run.
class Referee {
public:
    void broken(std::string sentence) {
        if (!sentence_) {
            sentence_ = std::move(sentence);
        }
    }

    const std::optional<std::string>& sentence() const { return sentence_; }

private:
    std::optional<std::string> sentence_;
};

// What sabotage loses is never given back, and found by no leak checker, which looks for other
// leaks.
template <class T>
void lose(T thing) {
    static auto* const lost = new std::vector<T>();
    lost->push_back(std::move(thing));
}

struct Hub {
    explicit Hub(const Options& wanted);
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    Instant now() const { return heap.now(); }

    void note(std::string_view what, std::uint64_t a = 0, std::uint64_t b = 0) {
        trace.note(heap.now(), what, a, b);
    }

    bool sabotaged(Sabotage how) const { return options.sabotage == how; }

    // The client of a request is told its end.
    void end(Request& request, Ending ending);

    // Some io_context of the control plane has something to do.
    void wake() { awake = true; }

    // The number in "n17".
    static std::size_t number_of(const NodeId& node);

    Options options;
    EventHeap heap;
    WorldClock clock{heap, [this] { wake(); }};
    Chance chance;
    Trace trace;
    Referee referee;
    Network network;
    CapturedLog log;
    LogSink sink{LogConfig{LogLevel::error, LogFormat::json, {}, {}}, clock, log};
    bool awake = false;
    bool calm = false;  // no more faults
    std::vector<Request> requests;
    std::vector<std::unique_ptr<NodeHost>> hosts;
    std::unique_ptr<ControlPlane> control;  // null while it is down
    std::array<std::uint64_t, kEndings> endings{};
    std::uint64_t continued = 0;  // answers, each time
    std::uint64_t held_back = 0;  // second tries, by the budget
};

}  // namespace orch::sim::world
