#include "control/tasks/event_journal.hpp"

#include <fmt/format.h>

namespace orch::control::tasks {
namespace {

// What a short event costs beside its text.
constexpr Bytes kOverhead = 64;

}  // namespace

void EventJournal::append(std::string_view name, std::string_view data, bool verbose) {
    events_.push_back(
        {fmt::format("id: {}\nevent: {}\ndata: {}\n\n", last() + 1, name, data), verbose}
    );
    bytes_ += events_.back().text.size() + kOverhead;
    shrink(limit_);
}

EventJournal::Page EventJournal::read(std::uint64_t after, bool verbose, Bytes most) const {
    Page page;
    page.last = after;
    if (after + 1 < first_) {
        page.gone = true;
        return page;
    }
    for (std::size_t at = after + 1 - first_; at < events_.size(); ++at) {
        page.last = first_ + at;
        if (!events_[at].verbose || verbose) {
            page.bytes += events_[at].text;
        }
        if (page.bytes.size() >= most) {
            break;
        }
    }
    return page;
}

void EventJournal::shrink(Bytes limit) {
    while (bytes_ > limit && events_.size() > 1) {
        bytes_ -= events_.front().text.size() + kOverhead;
        events_.pop_front();
        ++first_;
    }
}

}  // namespace orch::control::tasks
