#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace orch::control::admission {

struct AdmissionConfig {
    std::size_t capacity = 100;                         // waiting requests per served name
    Duration queue_timeout = std::chrono::seconds(60);  // how long one may wait
};

// Names a waiting request; unique while the program runs, given out in order of arrival.
enum class TicketId : std::uint64_t {};

struct Ticket {
    TicketId id{};
    std::string name;               // served name; "" = requests without a model
    std::vector<PoolKey> excluded;  // pools that refused it in this round
    Instant since{};                // when it first waited; set by park()
};

// Requests that wait for a slot: one bounded FIFO per served name. Owner: the control thread.
// No clock, no sockets. A ticket is in exactly one queue from park() until remove() or expire().
class WaitQueue {
public:
    explicit WaitQueue(AdmissionConfig config);

    // Appends to the queue of ticket.name. Returns how many wait before it.
    // Errors: admission_reject (that queue is full). The id must not be waiting already.
    Result<std::size_t> park(Ticket ticket, Instant now);

    // Errors: what park() of a ticket for that name would answer now.
    Result<void> check_room(std::string_view name) const;

    // Puts a ticket that was taken out and could not be served back at its old place, by its
    // `since`; it was admitted once, so capacity does not count. Returns how many wait before it.
    std::size_t park_again(Ticket ticket);

    // Takes a ticket out: it has a slot, or its client is gone. Nothing when it does not wait.
    std::optional<Ticket> remove(TicketId id);

    // Takes out those that have waited for queue_timeout, longest waiting first.
    std::vector<Ticket> expire(Instant now);
    std::optional<Instant> next_deadline() const;

    // The oldest ticket of a queue; nullptr when it is empty. Valid until the next change.
    const Ticket* head(std::string_view name) const;
    const Ticket* find(TicketId id) const;

    // Tickets to try, at most `slots`, when `pool`, which serves `names` ("" included if requests
    // without a model may go there), has free slots: oldest first over all of these queues, in
    // order within each, those passed over that have the pool excluded. Nothing is taken out.
    std::vector<TicketId> candidates_for(
        const PoolKey& pool, std::span<const std::string> names, std::size_t slots
    ) const;

    // The pool refused the ticket: not offered to it again in this round.
    void exclude(TicketId id, const PoolKey& pool);

    // A new round, because the cluster changed: every pool may be offered again.
    void clear_exclusions();

    std::size_t depth(std::string_view name) const;
    std::size_t depth() const;
    std::optional<std::size_t> position(TicketId id) const;  // how many wait before it
    std::vector<std::string> names() const;                  // queues that are not empty
    std::vector<TicketId> in_order() const;                  // of all queues, longest waiting first

    // How many a full queue has refused so far.
    std::uint64_t turned_away() const { return turned_away_; }

    // Tickets that wait keep waiting, also above a lowered capacity; deadlines move.
    void set_config(AdmissionConfig config);

private:
    using Place = std::pair<Instant, TicketId>;  // order of waiting
    using Lane = std::map<Place, Ticket>;

    struct Where {
        std::string name;
        Instant since;
    };

    std::size_t insert(Ticket ticket);

    AdmissionConfig config_;
    std::uint64_t turned_away_ = 0;
    std::map<std::string, Lane, std::less<>> lanes_;
    std::unordered_map<TicketId, Where> where_;
    std::set<Place> order_;  // all tickets, longest waiting first
};

}  // namespace orch::control::admission
