#include "net/deadline_list.hpp"

#include <algorithm>
#include <utility>

namespace orch::net {

Deadline::Deadline(DeadlineList& list, std::function<void()> on_expiry)
    : list_(list), on_expiry_(std::move(on_expiry)) {
    place_ = list_.deadlines_.insert(list_.deadlines_.end(), this);
}

Deadline::~Deadline() {
    if (list_.next_ == place_) {
        ++list_.next_;
    }
    list_.deadlines_.erase(place_);
}

void Deadline::arm(Duration from_now) {
    const Instant now = list_.now();
    armed_at_ = now;
    at_ = from_now < Instant::max() - now ? now + from_now : Instant::max();
    expired_ = false;
    list_.note(at_);
}

void Deadline::shorten(Duration from_arming) {
    if (at_ != Instant::max()) {
        at_ = std::min(at_, armed_at_ + from_arming);
        list_.note(at_);
    }
}

Instant Deadline::now() const {
    return list_.now();
}

void DeadlineList::expire(Instant now) {
    if (now < earliest_) {
        return;
    }
    earliest_ = Instant::max();
    for (next_ = deadlines_.begin(); next_ != deadlines_.end();) {
        Deadline& deadline = **next_;
        ++next_;
        if (deadline.at_ <= now) {
            deadline.at_ = Instant::max();
            deadline.expired_ = true;
            deadline.on_expiry_();
        } else {
            note(deadline.at_);
        }
    }
}

Task<void> DeadlineList::run() {
    while (co_await clock_.sleep_for(kTick)) {
        expire(clock_.now());
    }
}

}  // namespace orch::net
