#pragma once

#include "async/event_loop.hpp"
#include "sim/world/hub.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace orch::sim::world {

// Questions over the simulated network. The first answer counts; one that comes when the asker is
// gone finds nobody.
template <class T>
class OpenCalls {
public:
    using Handoff = async::Handoff<T>;
    using Tell = std::function<void(T)>;

    OpenCalls(Hub& hub, async::EventLoop& loop) : hub_(hub), loop_(loop) {}

    // Where the answer comes to, and who brings it.
    std::pair<Handoff, Tell> begin() {
        const std::uint64_t id = ++asked_->last;
        Handoff answer(loop_.executor());
        asked_->open.emplace(id, answer);
        Tell tell = [&hub = hub_, asked = std::weak_ptr(asked_), id](T found) {
            if (const auto all = asked.lock()) {
                if (auto open = all->open.extract(id)) {
                    std::move(open.mapped()).set(std::move(found));
                }
                hub.wake();
            }
        };
        return {answer, tell};
    }

private:
    struct Asked {
        std::uint64_t last = 0;
        std::map<std::uint64_t, Handoff> open;
    };

    Hub& hub_;
    async::EventLoop& loop_;
    std::shared_ptr<Asked> asked_ = std::make_shared<Asked>();
};

}  // namespace orch::sim::world
