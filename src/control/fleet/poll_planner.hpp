#pragma once

#include "base/clock.hpp"
#include "base/rng.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace orch::control::fleet {

// Whom to ask: a node by its id, or the URL of one that was added by hand.
struct PollKey {
    bool is_url = false;
    std::string name;

    friend auto operator<=>(const PollKey&, const PollKey&) = default;
};

struct PollPlan {
    Duration interval = std::chrono::seconds(5);
    std::size_t at_once = 128;  // polls under way at most
    // Of these, polls of nodes that failed the last one: nodes that hang keep nobody waiting.
    std::size_t doubtful_at_once = 64;
};

// Who is asked when. Each node has its own moment in the interval, drawn when it is added, so that
// a thousand are asked one after the other and not in a burst; what comes too late for its turn
// waits for its next one. Pure; one thread.
class PollPlanner {
public:
    PollPlanner(PollPlan plan, std::uint64_t seed) : plan_(plan), rng_(seed) {}

    // First at its moment within the interval, or `soon`: now and then at that moment.
    void add(const PollKey& key, Instant now, bool soon = false);

    // Its next turn is now, unless it is being asked. Nothing when it is not known.
    void hurry(const PollKey& key, Instant now);

    void remove(const PollKey& key);

    // From now on; each node gets a moment in the new interval.
    void set_interval(Duration interval, Instant now);

    // Whom to ask now; each counts as being asked until finished().
    std::vector<PollKey> take_due(Instant now);

    void finished(const PollKey& key, bool well, Instant now);

    // When take_due() will have somebody; nothing while there is no room or nobody.
    std::optional<Instant> next_due() const;

    Duration interval() const { return plan_.interval; }

    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        Instant moment;  // the next of its moments
        Instant due;
        bool doubtful = false;
        bool running = false;
    };

    using Queue = std::set<std::pair<Instant, PollKey>>;

    Instant draw_moment(Instant now);
    void enqueue(const PollKey& key, Entry& entry);
    void take(bool doubtful, Instant now, std::vector<PollKey>& taken);
    bool has_room(bool doubtful) const;

    PollPlan plan_;
    Rng rng_;
    std::map<PollKey, Entry> entries_;
    Queue well_;
    Queue doubtful_;
    std::multimap<PollKey, bool> running_;  // and whether it counts as doubtful
    std::size_t running_doubtful_ = 0;
};

}  // namespace orch::control::fleet
