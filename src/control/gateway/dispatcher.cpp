#include "control/gateway/dispatcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace orch::control::gateway {

using admission::Ticket;
using admission::TicketId;

namespace {

bool has_free_slot(const std::shared_ptr<LoadCell>& cell) {
    return cell->claimed() < cell->capacity();
}

// Another control plane, or this one when it is back, may take the same request.
std::unexpected<Error> stopping() {
    return fail(Errc::pool_unavailable, "the control plane is stopping: send the request again");
}

}  // namespace

Dispatcher::Dispatcher(
    admission::AdmissionConfig config, placement::PlacementPolicy policy, OnDepth on_depth
)
    : queue_(config),
      policy_(std::move(policy)),
      on_depth_(std::move(on_depth)),
      ledger_(policy_.seed),
      view_(std::make_shared<view::ClusterView>()) {}

TicketId Dispatcher::park(Bid bid, Instant now, OnDispatched on_dispatched) {
    const TicketId id{++tickets_};
    if (closed_) {
        on_dispatched(stopping());
        return id;
    }
    const std::string name(view_->queue_name(bid.request.model.value_or("")));
    Ticket ticket{.id = id, .name = name, .excluded = std::move(bid.refused)};
    if (auto taken = enqueue(std::move(ticket), now, bid.since); !taken) {
        on_dispatched(std::unexpected(taken.error()));
        return id;
    }
    Waiting& waiting = waiters_[id];
    waiting.request = std::move(bid.request);
    waiting.name = name;
    waiting.on_dispatched = std::move(on_dispatched);
    on_depth_(name, queue_.depth(name));
    stand_in_line(waiting, now);
    // A slot may have been freed between the edge's last look and the waiter in its cell. Whoever
    // has waited longer may have it first.
    if (std::ranges::any_of(waiting.cells, has_free_slot)) {
        serve_all(now);
    }
    return id;
}

Result<void> Dispatcher::enqueue(Ticket ticket, Instant now, std::optional<Instant> since) {
    if (since) {
        ticket.since = *since;
        queue_.park_again(std::move(ticket));
        return {};
    }
    if (auto position = queue_.park(std::move(ticket), now); !position) {
        return std::unexpected(position.error());
    }
    return {};
}

void Dispatcher::stand_in_line(Waiting& waiting, Instant now) {
    const auto decision = decide(*view_, waiting.request, policy_, ledger_, now);
    for (const placement::Candidate& candidate : decision.ranked) {
        candidate.pool->cell->add_waiter();
        waiting.cells.push_back(candidate.pool->cell);
    }
}

void Dispatcher::leave_line(Waiting& waiting) {
    for (const auto& cell : waiting.cells) {
        cell->remove_waiter();
    }
    waiting.cells.clear();
}

std::optional<Grant> Dispatcher::try_claim(
    const placement::PlacementRequest& request, Instant now
) {
    auto decision = decide(*view_, request, policy_, ledger_, now);
    const placement::Candidate* const taken =
        take_first(decision, [](const placement::Candidate& candidate) {
            return candidate.pool->cell->claim_for_waiter();
        });
    if (taken == nullptr) {
        return std::nullopt;
    }
    ledger_.chosen(*taken->pool->cell);
    return Grant{view_, taken->node, taken->pool, {}};
}

bool Dispatcher::serve(TicketId ticket, Instant now) {
    std::vector<PoolKey>& exclude = waiters_.at(ticket).request.exclude;
    const auto never = static_cast<std::ptrdiff_t>(exclude.size());
    const std::vector<PoolKey>& refused = queue_.find(ticket)->excluded;
    exclude.insert(exclude.end(), refused.begin(), refused.end());
    auto grant = try_claim(waiters_.at(ticket).request, now);
    exclude.erase(exclude.begin() + never, exclude.end());
    if (!grant) {
        return false;
    }
    grant->since = queue_.remove(ticket)->since;
    end(ticket, std::move(*grant));
    return true;
}

void Dispatcher::end(TicketId ticket, Result<Grant> outcome) {
    auto waiting = waiters_.extract(ticket);
    leave_line(waiting.mapped());
    on_depth_(waiting.mapped().name, queue_.depth(waiting.mapped().name));
    waiting.mapped().on_dispatched(std::move(outcome));
}

void Dispatcher::cancel(TicketId ticket) {
    if (queue_.remove(ticket)) {
        end(ticket, fail(Errc::cancelled, "the client left the queue"));
    }
}

void Dispatcher::close() {
    closed_ = true;
    while (!waiters_.empty()) {
        const TicketId ticket = waiters_.begin()->first;
        queue_.remove(ticket);
        end(ticket, stopping());
    }
}

void Dispatcher::slot_freed(const PoolKey& pool, Instant now) {
    const view::PoolBlock* const block = view_->find_pool(pool);
    if (block == nullptr) {
        return;
    }
    std::vector<std::string> names = block->models;
    names.emplace_back();
    // Requests that are pinned elsewhere are in these queues too, so one slot may take several
    // tries.
    constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
    for (const TicketId ticket : queue_.candidates_for(pool, names, kAll)) {
        if (!has_free_slot(block->cell)) {
            return;
        }
        serve(ticket, now);
    }
}

void Dispatcher::set_view(view::ClusterViewPtr view, Instant now) {
    view_ = std::move(view);
    ledger_.retain(*view_);
    for (auto& [ticket, waiting] : waiters_) {
        // The new waiters come before the old ones go: no cell of both views is ever open between.
        std::vector<std::shared_ptr<LoadCell>> before = std::exchange(waiting.cells, {});
        stand_in_line(waiting, now);
        for (const auto& cell : before) {
            cell->remove_waiter();
        }
    }
    retry_refused(now);
}

void Dispatcher::retry_refused(Instant now) {
    queue_.clear_exclusions();
    serve_all(now);
}

void Dispatcher::serve_all(Instant now) {
    for (const TicketId ticket : queue_.in_order()) {
        serve(ticket, now);
    }
}

void Dispatcher::expire(Instant now) {
    for (const Ticket& ticket : queue_.expire(now)) {
        const std::string what = ticket.name.empty() ? "any chat model" : ticket.name;
        end(ticket.id,
            fail(
                Errc::admission_reject,
                fmt::format("no slot for {} became free within the queue timeout", what)
            ));
    }
}

}  // namespace orch::control::gateway
