#include "control/tasks/watch_list.hpp"

#include <utility>
#include <vector>

namespace orch::control::tasks {
namespace {

// About so much goes to a watcher at once.
constexpr Bytes kPage = 64 * kKiB;

}  // namespace

WatchPage page_of(const EventJournal& journal, const WatchPlace& place, bool ended) {
    EventJournal::Page read = journal.read(place.after, place.verbose, kPage);
    WatchPage page;
    page.bytes = std::move(read.bytes);
    page.last = read.last;
    page.gone = read.gone;
    page.over = read.gone || (ended && read.last >= journal.last());
    return page;
}

WatchList::Key WatchList::add(WatchPlace place, Answer answer, Instant now) {
    const Key key = ++keys_;
    by_task_[place.task].push_back(key);
    waiting_.emplace(key, Waiting{std::move(place), std::move(answer), now});
    return key;
}

void WatchList::settle(Key key, WatchPage page) {
    auto waiting = waiting_.extract(key);
    if (waiting.empty()) {
        return;
    }
    const auto keys = by_task_.find(waiting.mapped().place.task);
    keys->second.remove(key);
    if (keys->second.empty()) {
        by_task_.erase(keys);
    }
    std::move(waiting.mapped().answer).set(std::move(page));
}

void WatchList::remove(Key key) {
    WatchPage page;
    page.over = true;
    settle(key, std::move(page));
}

void WatchList::wake(const TaskId& task, const EventJournal& journal, bool over) {
    const auto keys = by_task_.find(task);
    if (keys == by_task_.end()) {
        return;
    }
    for (const Key key : std::vector<Key>(keys->second.begin(), keys->second.end())) {
        settle(key, page_of(journal, waiting_.at(key).place, over));
    }
}

void WatchList::comment(Instant now, Duration after) {
    std::vector<Key> keys;
    for (const auto& [key, waiting] : waiting_) {
        if (now - waiting.since >= after) {
            keys.push_back(key);
        }
    }
    for (const Key key : keys) {
        WatchPage page;
        page.last = waiting_.at(key).place.after;
        settle(key, std::move(page));
    }
}

}  // namespace orch::control::tasks
