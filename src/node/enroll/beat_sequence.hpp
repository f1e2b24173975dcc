#pragma once

#include <cstdint>

namespace orch::node::enroll {

// Numbers everything this boot of the node tells about its state: heartbeats to every control
// plane and answers to polls, so that an older one that arrives later is recognised. Numbers are
// taken when the state is read. One owner, the node's control thread.
class BeatSequence {
public:
    std::uint64_t next() { return ++last_; }

private:
    std::uint64_t last_ = 0;
};

}  // namespace orch::node::enroll
