#include "control/admission/wait_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace orch::control::admission {
namespace {

bool excludes(const Ticket& ticket, const PoolKey& pool) {
    return std::ranges::find(ticket.excluded, pool) != ticket.excluded.end();
}

Error queue_full(std::string_view name, std::size_t waiting) {
    const std::string what = name.empty() ? "requests without a model" : fmt::format("'{}'", name);
    return Error{
        Errc::admission_reject,
        fmt::format("the queue for {} is full: {} requests wait", what, waiting),
        {}
    };
}

// The first `most` tickets of a lane that may go to the pool.
template <class Lane, class Place>
void add_fitting(
    const Lane& lane, const PoolKey& pool, std::size_t most, std::vector<Place>& places
) {
    std::size_t taken = 0;
    for (auto at = lane.begin(); at != lane.end() && taken < most; ++at) {
        if (!excludes(at->second, pool)) {
            places.push_back(at->first);
            ++taken;
        }
    }
}

}  // namespace

WaitQueue::WaitQueue(AdmissionConfig config) : config_(config) {}

Result<void> WaitQueue::check_room(std::string_view name) const {
    if (const std::size_t waiting = depth(name); waiting >= config_.capacity) {
        return std::unexpected(queue_full(name, waiting));
    }
    return {};
}

Result<std::size_t> WaitQueue::park(Ticket ticket, Instant now) {
    if (auto room = check_room(ticket.name); !room) {
        ++turned_away_;
        return std::unexpected(room.error());
    }
    ticket.since = now;
    return insert(std::move(ticket));
}

std::size_t WaitQueue::park_again(Ticket ticket) {
    return insert(std::move(ticket));
}

std::size_t WaitQueue::insert(Ticket ticket) {
    const Place place{ticket.since, ticket.id};
    where_.insert_or_assign(ticket.id, Where{ticket.name, ticket.since});
    order_.insert(place);
    Lane& lane = lanes_[ticket.name];
    const auto at = lane.insert_or_assign(place, std::move(ticket)).first;
    return at == std::prev(lane.end()) ? lane.size() - 1
                                       : static_cast<std::size_t>(std::distance(lane.begin(), at));
}

std::optional<Ticket> WaitQueue::remove(TicketId id) {
    const auto where = where_.find(id);
    if (where == where_.end()) {
        return std::nullopt;
    }
    const Place place{where->second.since, id};
    const auto lane = lanes_.find(where->second.name);
    std::optional<Ticket> ticket(std::move(lane->second.extract(place).mapped()));
    if (lane->second.empty()) {
        lanes_.erase(lane);
    }
    order_.erase(place);
    where_.erase(where);
    return ticket;
}

std::vector<Ticket> WaitQueue::expire(Instant now) {
    std::vector<Ticket> expired;
    while (!order_.empty() && order_.begin()->first + config_.queue_timeout <= now) {
        expired.push_back(*remove(order_.begin()->second));
    }
    return expired;
}

std::optional<Instant> WaitQueue::next_deadline() const {
    return order_.empty() ? std::nullopt
                          : std::optional(order_.begin()->first + config_.queue_timeout);
}

const Ticket* WaitQueue::head(std::string_view name) const {
    const auto lane = lanes_.find(name);
    return lane == lanes_.end() ? nullptr : &lane->second.begin()->second;
}

const Ticket* WaitQueue::find(TicketId id) const {
    const auto where = where_.find(id);
    return where == where_.end()
               ? nullptr
               : &lanes_.find(where->second.name)->second.at({where->second.since, id});
}

std::vector<TicketId> WaitQueue::candidates_for(
    const PoolKey& pool, std::span<const std::string> names, std::size_t slots
) const {
    std::vector<Place> oldest;
    for (const std::string& name : names) {
        if (const auto lane = lanes_.find(name); lane != lanes_.end()) {
            add_fitting(lane->second, pool, slots, oldest);
        }
    }
    std::ranges::sort(oldest);
    const auto repeated = std::ranges::unique(oldest);
    oldest.erase(repeated.begin(), repeated.end());
    oldest.resize(std::min(oldest.size(), slots));
    std::vector<TicketId> tickets;
    tickets.reserve(oldest.size());
    std::ranges::transform(oldest, std::back_inserter(tickets), &Place::second);
    return tickets;
}

void WaitQueue::exclude(TicketId id, const PoolKey& pool) {
    const auto where = where_.find(id);
    if (where == where_.end()) {
        return;
    }
    Ticket& ticket = lanes_.find(where->second.name)->second.at({where->second.since, id});
    if (!excludes(ticket, pool)) {
        ticket.excluded.push_back(pool);
    }
}

void WaitQueue::clear_exclusions() {
    for (auto& [name, lane] : lanes_) {
        for (auto& [place, ticket] : lane) {
            ticket.excluded.clear();
        }
    }
}

std::size_t WaitQueue::depth(std::string_view name) const {
    const auto lane = lanes_.find(name);
    return lane == lanes_.end() ? 0 : lane->second.size();
}

std::size_t WaitQueue::depth() const {
    return order_.size();
}

std::optional<std::size_t> WaitQueue::position(TicketId id) const {
    const auto where = where_.find(id);
    if (where == where_.end()) {
        return std::nullopt;
    }
    const Lane& lane = lanes_.find(where->second.name)->second;
    const auto at = lane.find({where->second.since, id});
    return static_cast<std::size_t>(std::distance(lane.begin(), at));
}

std::vector<std::string> WaitQueue::names() const {
    std::vector<std::string> names;
    for (const auto& [name, lane] : lanes_) {
        names.push_back(name);
    }
    return names;
}

std::vector<TicketId> WaitQueue::in_order() const {
    std::vector<TicketId> tickets;
    tickets.reserve(order_.size());
    std::ranges::transform(order_, std::back_inserter(tickets), &Place::second);
    return tickets;
}

void WaitQueue::set_config(AdmissionConfig config) {
    config_ = config;
}

}  // namespace orch::control::admission
