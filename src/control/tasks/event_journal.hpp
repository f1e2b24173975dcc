#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace orch::control::tasks {

// The events of one task as server-sent events, numbered from 1 in the order in which they
// happened; a number never changes its event. Bounded: the oldest go first, the last one stays.
// Owner: the control thread. Pure.
class EventJournal {
public:
    explicit EventJournal(Bytes limit) : limit_(limit) {}

    // `verbose`: for verbose streams only; others skip its number.
    void append(std::string_view name, std::string_view data, bool verbose = false);

    struct Page {
        std::string bytes;       // whole events, ready to send
        std::uint64_t last = 0;  // the number to go on after
        bool gone = false;       // the next event is no longer kept; bytes is empty
    };

    // Events behind number `after`, at most about `most` bytes of them.
    Page read(std::uint64_t after, bool verbose, Bytes most) const;

    std::uint64_t last() const { return first_ + events_.size() - 1; }  // 0: none yet

    std::uint64_t first() const { return first_; }  // the oldest that is kept

    Bytes bytes() const { return bytes_; }

    // Gives up old events until at most so much is kept.
    void shrink(Bytes limit);

private:
    struct Stored {
        std::string text;
        bool verbose = false;
    };

    Bytes limit_;
    std::deque<Stored> events_;
    std::uint64_t first_ = 1;
    Bytes bytes_ = 0;
};

}  // namespace orch::control::tasks
