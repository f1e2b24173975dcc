#include "control/fleet/poll_planner.hpp"

#include <algorithm>

namespace orch::control::fleet {

void PollPlanner::add(const PollKey& key, Instant now, bool soon) {
    const auto [place, added] = entries_.try_emplace(key);
    if (!added) {
        return;
    }
    Entry& entry = place->second;
    entry.moment = draw_moment(now);
    entry.due = soon ? now : entry.moment;
    enqueue(key, entry);
}

void PollPlanner::hurry(const PollKey& key, Instant now) {
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.running || found->second.due <= now) {
        return;
    }
    Entry& entry = found->second;
    (entry.doubtful ? doubtful_ : well_).erase({entry.due, key});
    entry.due = now;
    enqueue(key, entry);
}

Instant PollPlanner::draw_moment(Instant now) {
    const auto span = static_cast<std::uint64_t>(plan_.interval.count());
    return now + Duration(static_cast<std::int64_t>(rng_.below(span)));
}

void PollPlanner::set_interval(Duration interval, Instant now) {
    if (interval == plan_.interval) {
        return;
    }
    plan_.interval = interval;
    well_.clear();
    doubtful_.clear();
    for (auto& [key, entry] : entries_) {
        entry.moment = draw_moment(now);
        entry.due = entry.moment;
        if (!entry.running) {
            enqueue(key, entry);
        }
    }
}

void PollPlanner::remove(const PollKey& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
        return;
    }
    (found->second.doubtful ? doubtful_ : well_).erase({found->second.due, key});
    entries_.erase(found);
}

void PollPlanner::enqueue(const PollKey& key, Entry& entry) {
    entry.running = false;
    (entry.doubtful ? doubtful_ : well_).emplace(entry.due, key);
}

bool PollPlanner::has_room(bool doubtful) const {
    return running_.size() < plan_.at_once &&
           (!doubtful || running_doubtful_ < plan_.doubtful_at_once);
}

void PollPlanner::take(bool doubtful, Instant now, std::vector<PollKey>& taken) {
    Queue& queue = doubtful ? doubtful_ : well_;
    while (!queue.empty() && queue.begin()->first <= now && has_room(doubtful)) {
        const PollKey key = queue.extract(queue.begin()).value().second;
        entries_.at(key).running = true;
        running_.emplace(key, doubtful);
        running_doubtful_ += doubtful ? 1 : 0;
        taken.push_back(key);
    }
}

std::vector<PollKey> PollPlanner::take_due(Instant now) {
    std::vector<PollKey> taken;
    take(false, now, taken);
    take(true, now, taken);
    return taken;
}

void PollPlanner::finished(const PollKey& key, bool well, Instant now) {
    const auto running = running_.find(key);
    if (running == running_.end()) {
        return;
    }
    running_doubtful_ -= running->second ? 1 : 0;
    running_.erase(running);
    const auto found = entries_.find(key);
    if (found == entries_.end() || !found->second.running) {
        return;  // removed meanwhile, or even added again
    }
    Entry& entry = found->second;
    entry.doubtful = !well;
    if (entry.moment <= now) {
        entry.moment += plan_.interval * ((now - entry.moment) / plan_.interval + 1);
    }
    entry.due = entry.moment;
    enqueue(key, entry);
}

std::optional<Instant> PollPlanner::next_due() const {
    std::optional<Instant> next;
    for (const bool doubtful : {false, true}) {
        const Queue& queue = doubtful ? doubtful_ : well_;
        if (!queue.empty() && has_room(doubtful)) {
            next = next ? std::min(*next, queue.begin()->first) : queue.begin()->first;
        }
    }
    return next;
}

}  // namespace orch::control::fleet
