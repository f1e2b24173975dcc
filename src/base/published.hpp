#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

namespace orch {

// A value that one thread replaces now and then while others read it: settings, tokens,
// certificates. Readers never wait: they get a snapshot that stays as it is for as long as they
// hold it. (std::atomic<std::shared_ptr> of libstdc++ 12 has a data race in load().)
template <class T>
class Published {
public:
    using Snapshot = std::shared_ptr<const T>;

    explicit Published(Snapshot first) : current_(new Snapshot(std::move(first))) {}

    ~Published() { delete current_.load(); }

    Published(const Published&) = delete;
    Published& operator=(const Published&) = delete;

    // Any thread.
    Snapshot load() const {
        readers_.fetch_add(1);
        Snapshot copy = *current_.load();
        readers_.fetch_sub(1);
        return copy;
    }

    // One thread at a time. Waits for readers that are in the middle of load(): nanoseconds.
    void publish(Snapshot next) {
        const std::unique_ptr<Snapshot> old(current_.exchange(new Snapshot(std::move(next))));
        while (readers_.load() != 0) {
            std::this_thread::yield();
        }
    }

private:
    std::atomic<Snapshot*> current_;
    mutable std::atomic<int> readers_{0};
};

}  // namespace orch
