#include "control/gateway/dispatcher.hpp"

#include "control/placement/explanation.hpp"
#include "control/placement/feasibility.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>

namespace orch::control::gateway {

using admission::Ticket;
using admission::TicketId;

namespace {

constexpr std::size_t kMostTold = 3;  // pools in one sentence

// Not for one that is loaded.
bool awaits_return(const std::optional<Bid::Awaited>& awaited, Instant now) {
    return awaited && awaited->until > now && awaited->until != placement::kWhileLoading;
}

// Another control plane, or this one when it is back, may take the same request.
std::unexpected<Error> stopping() {
    return fail(Errc::pool_unavailable, "the control plane is stopping: send the request again");
}

}  // namespace

Dispatcher::Dispatcher(
    admission::AdmissionConfig config,
    placement::PlacementPolicy policy,
    OnDepth on_depth,
    OnAdmitted on_admitted,
    OnLoad on_load
)
    : queue_(config),
      policy_(std::move(policy)),
      on_depth_(std::move(on_depth)),
      on_admitted_(std::move(on_admitted)),
      on_load_(std::move(on_load)),
      ledger_(policy_.seed),
      view_(std::make_shared<view::ClusterView>()) {}

TicketId Dispatcher::park(Bid bid, Instant now, OnDispatched on_dispatched) {
    const TicketId id{++tickets_};
    if (closed_) {
        on_dispatched(stopping());
        return id;
    }
    auto refused = take_in(id, std::move(bid), now, on_dispatched);
    if (!refused) {
        on_dispatched(std::unexpected(refused.error()));
    }
    return id;
}

Result<TicketId> Dispatcher::admit(Bid bid, Instant now, OnDispatched on_dispatched) {
    if (closed_) {
        return stopping();
    }
    placement::SlotChoice choice =
        choose_slot(*view_, bid.request, policy_, ledger_, now, placement::Claim::newcomer);
    if (choice.rejection && !choice.awaited_until) {
        return std::unexpected(*choice.rejection);
    }
    if (choice.rejection) {
        bid.awaited = {*choice.awaited_until, *choice.rejection};
    }
    const TicketId id{++tickets_};
    if (choice.pool != nullptr) {
        admitted(view_->queue_name(bid.request.model.value_or("")), bid.priority, bid.counted);
        on_dispatched(Grant{view_, choice.node, choice.pool, now});
        return id;
    }
    if (auto taken = take_in(id, std::move(bid), now, std::move(on_dispatched)); !taken) {
        return std::unexpected(taken.error());
    }
    return id;
}

Result<void> Dispatcher::take_in(TicketId id, Bid bid, Instant now, OnDispatched on_dispatched) {
    const std::string name(view_->queue_name(bid.request.model.value_or("")));
    Ticket ticket{.id = id, .name = name, .excluded = std::move(bid.refused)};
    if (auto taken = enqueue(std::move(ticket), now, bid.since); !taken) {
        return taken;
    }
    Waiting& waiting = waiters_[id];
    waiting.request = std::move(bid.request);
    waiting.name = name;
    waiting.priority = bid.priority;
    waiting.forgives_at = now + bid.failed_for;
    waiting.awaited = std::move(bid.awaited);
    waiting.on_dispatched = std::move(on_dispatched);
    admitted(name, bid.priority, bid.counted || bid.since);
    count_depth(waiting, true);
    stand_in_line(waiting, now);
    // A slot may have been freed between the edge's last look and the waiter in its cell. Whoever
    // has waited longer may have it first.
    if (waiting.line->any_free()) {
        serve_all(now);
    } else if (waiting.line->empty()) {
        ask_to_load(look_ahead(waiting, now));
    }
    return {};
}

void Dispatcher::admitted(std::string_view name, admission::Priority priority, bool counted) {
    if (on_admitted_ && !counted) {
        on_admitted_(name, priority);
    }
}

void Dispatcher::count_depth(const Waiting& waiting, bool more) {
    std::size_t& depth = depths_[{waiting.name, waiting.priority}];
    depth = more ? depth + 1 : depth - 1;
    on_depth_(waiting.name, waiting.priority, depth);
}

Outlook Dispatcher::preview(const placement::PlacementRequest& request, Instant now) const {
    Outlook outlook;
    outlook.decision = decide(*view_, request, policy_, ledger_, now, placement::Explain::yes);
    const auto& ranked = outlook.decision.ranked;
    const auto open = std::ranges::find_if(ranked, [&](const placement::Candidate& candidate) {
        return outlook.decision.offers(candidate) && candidate.pool->cell->figures().claimable();
    });
    outlook.slot_free = open != ranked.end();
    if (outlook.slot_free) {
        std::rotate(
            outlook.decision.ranked.begin(),
            outlook.decision.ranked.begin() + (open - ranked.begin()),
            outlook.decision.ranked.end()
        );
        return outlook;
    }
    const std::string name(view_->queue_name(request.model.value_or("")));
    outlook.standing.ahead = queue_.depth(name);
    outlook.standing.start_in = estimate_start(ranked, outlook.standing.ahead);
    if (auto room = queue_.check_room(name); !room) {
        outlook.refused = room.error();
    }
    return outlook;
}

std::optional<Standing> Dispatcher::standing(TicketId ticket, Instant now) const {
    const auto waiting = waiters_.find(ticket);
    const auto ahead = queue_.position(ticket);
    if (waiting == waiters_.end() || !ahead) {
        return std::nullopt;
    }
    const auto decision = decide(*view_, waiting->second.request, policy_, ledger_, now);
    return Standing{*ahead, estimate_start(decision.ranked, *ahead)};
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

// One for all who ask for a model and nothing else.
std::shared_ptr<WaitingLine> Dispatcher::line_for(const placement::PlacementRequest& request) {
    if (!request.asks_only_for_model() || !request.exclude.empty()) {
        return std::make_shared<WaitingLine>();
    }
    auto& shared = lines_[{request.model.value_or(""), request.kind}];
    std::shared_ptr<WaitingLine> line = shared.lock();
    if (!line) {
        line = std::make_shared<WaitingLine>();
        shared = line;
    }
    return line;
}

// The line before it ends only when the request stands in the new one.
void Dispatcher::stand_in_line(Waiting& waiting, Instant now) {
    std::shared_ptr<WaitingLine> line = line_for(waiting.request);
    if (!line->stands_in(*view_)) {
        std::vector<std::shared_ptr<LoadCell>> cells;
        for (const auto& candidate :
             decide(*view_, waiting.request, policy_, ledger_, now).ranked) {
            cells.push_back(candidate.pool->cell);
        }
        line->stand(*view_, std::move(cells));
    }
    waiting.line = std::move(line);
}

std::optional<Grant> Dispatcher::try_claim(
    const placement::PlacementRequest& request, Instant now
) {
    const placement::SlotChoice choice =
        choose_slot(*view_, request, policy_, ledger_, now, placement::Claim::waiter);
    if (choice.pool == nullptr) {
        return std::nullopt;
    }
    return Grant{view_, choice.node, choice.pool, {}};
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
    waiting.mapped().line.reset();
    count_depth(waiting.mapped(), false);
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
    serve_each(queue_.candidates_for(pool, names, kAll), now, block->cell.get());
}

void Dispatcher::set_view(view::ClusterViewPtr view, Instant now) {
    // The one before lives until no line stands in it: another view never has its address.
    const view::ClusterViewPtr before = std::exchange(view_, std::move(view));
    ledger_.retain(*view_);
    for (auto& [ticket, waiting] : waiters_) {
        stand_in_line(waiting, now);
    }
    std::erase_if(lines_, [](const auto& line) { return line.second.expired(); });
    retry_refused(now);
}

void Dispatcher::retry_refused(Instant now) {
    queue_.clear_exclusions();
    for (auto& [ticket, waiting] : waiters_) {
        if (!waiting.request.failed.empty() && waiting.forgives_at <= now) {
            waiting.request.failed.clear();
            stand_in_line(waiting, now);
        }
    }
    serve_all(now);
    attend_to_unserved(now);
}

void Dispatcher::load_refused(const PoolKey& pool, std::string why, Instant now) {
    load_refusals_[pool] = {std::move(why), now + kRefusalHolds};
    attend_to_unserved(now);
}

Dispatcher::Prospect Dispatcher::look_ahead(const Waiting& waiting, Instant now) const {
    placement::PlacementRequest request = waiting.request;
    for (const auto& [pool, refusal] : load_refusals_) {
        if (refusal.until > now) {
            request.exclude.push_back(pool);
        }
    }
    const placement::Decision decision = decide(*view_, request, policy_, ledger_, now);
    Prospect prospect;
    prospect.loading = decision.awaited_until == placement::kWhileLoading;
    if (decision.to_load != nullptr) {
        prospect.to_load = decision.to_load->key;
    }
    if (decision.rejection) {
        prospect.otherwise = *decision.rejection;
        prospect.otherwise.message += why_unloaded(request, now);
    }
    return prospect;
}

// What the nodes say that were asked to load a pool for such a request, or failed to.
std::string Dispatcher::why_unloaded(const placement::PlacementRequest& request, Instant now)
    const {
    std::string text;
    std::size_t told = 0;
    for (const auto& node : view_->nodes()) {
        for (const view::PoolBlock& pool : node->pools) {
            if (!placement::serves(pool, request) || told == kMostTold) {
                continue;
            }
            const auto refusal = load_refusals_.find(pool.key);
            const bool refused = refusal != load_refusals_.end() && refusal->second.until > now;
            if (refused) {
                text += fmt::format("; node '{}': {}", node->id.str(), refusal->second.why);
            } else if (!pool.last_error.empty()) {
                text += "; " + placement::why_pool(pool);
            }
            told += refused || !pool.last_error.empty() ? 1 : 0;
        }
    }
    return text;
}

// Whether it waits on; if not, why not.
std::optional<Error> Dispatcher::judge_wait(Waiting& waiting, const Prospect& prospect) {
    if (!waiting.awaited) {
        return std::nullopt;  // it has had a place
    }
    if (prospect.loading) {
        waiting.awaited = {placement::kWhileLoading, prospect.otherwise};
        return std::nullopt;
    }
    const bool loaded_in_vain = waiting.awaited->until == placement::kWhileLoading;
    return loaded_in_vain ? prospect.otherwise : waiting.awaited->otherwise;
}

// Of requests for which no pool is ready some wait for one that comes back, and some for one that
// is loaded, which is asked for here. A pool that came, and is full, was worth waiting for: then
// the wait is as any other.
void Dispatcher::attend_to_unserved(Instant now) {
    std::erase_if(load_refusals_, [now](const auto& entry) { return entry.second.until <= now; });
    std::unordered_map<const WaitingLine*, Prospect> prospects;
    std::vector<std::pair<TicketId, Error>> in_vain;
    for (auto& [ticket, waiting] : waiters_) {
        if (!waiting.line->empty()) {
            waiting.awaited.reset();
        } else if (!awaits_return(waiting.awaited, now)) {
            const auto [found, is_new] = prospects.try_emplace(waiting.line.get());
            if (is_new) {
                found->second = look_ahead(waiting, now);
            }
            if (auto why = judge_wait(waiting, found->second)) {
                in_vain.emplace_back(ticket, std::move(*why));
            }
        }
    }
    for (auto& [ticket, why] : in_vain) {
        queue_.remove(ticket);
        end(ticket, std::unexpected(std::move(why)));
    }
    for (const auto& [line, prospect] : prospects) {
        ask_to_load(prospect);
    }
}

void Dispatcher::ask_to_load(const Prospect& prospect) const {
    if (prospect.to_load && on_load_) {
        on_load_(*prospect.to_load);
    }
}

void Dispatcher::serve_all(Instant now) {
    serve_each(queue_.in_order(), now, nullptr);
}

// In their order, as long as `only`, if there is one, has a free slot. Who stands in a line of
// which one found nothing, and was refused nowhere, finds nothing either.
void Dispatcher::serve_each(
    const std::vector<TicketId>& tickets, Instant now, const LoadCell* only
) {
    std::unordered_set<const WaitingLine*> without;
    for (const TicketId ticket : tickets) {
        if (only != nullptr && only->claimed() >= only->capacity()) {
            return;
        }
        const WaitingLine* const line = waiters_.at(ticket).line.get();
        const bool as_others = queue_.find(ticket)->excluded.empty();
        if ((!as_others || !without.contains(line)) && !serve(ticket, now) && as_others) {
            without.insert(line);
        }
    }
}

void Dispatcher::expire(Instant now) {
    for (const Ticket& ticket : queue_.expire(now)) {
        const std::string what = ticket.name.empty() ? "any chat model" : ticket.name;
        const bool loading = waiters_.at(ticket.id).line->empty();
        end(ticket.id,
            fail(
                Errc::admission_reject,
                fmt::format(
                    "no {} for {} became {} within the queue timeout",
                    loading ? "pool" : "slot",
                    what,
                    loading ? "ready" : "free"
                )
            ));
    }
}

}  // namespace orch::control::gateway
