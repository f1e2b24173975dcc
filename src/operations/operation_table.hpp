#pragma once

#include "api/operation.hpp"
#include "base/clock.hpp"
#include "base/rng.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace orch::operations {

// The long operations of one daemon: those under way and the last that ended. In memory: after a
// restart none is known. One owner; no clock.
class OperationTable {
public:
    // Ended ones that are remembered.
    static constexpr std::size_t kRemembered = 1000;

    // `rng` makes the ids and outlives the table.
    explicit OperationTable(Rng& rng) : rng_(rng) {}

    // A new one, running. The reference is valid until it has ended.
    api::Operation& begin(std::string kind, std::string target, WallTime now);

    // What it has done so far: progress is computed. An unknown or ended id is ignored.
    void advance(const std::string& id, Bytes done, Bytes total, WallTime now);
    void set_parts(const std::string& id, std::vector<api::OperationPart> parts, WallTime now);

    // Its one end. `error` empty: it succeeded. An unknown or ended id is ignored.
    void end(const std::string& id, std::string error, WallTime now);

    const api::Operation* find(const std::string& id) const;

    // The newest first.
    std::vector<api::Operation> list() const;

    std::size_t running() const { return operations_.size() - ended_.size(); }

private:
    struct Entry {
        api::Operation operation;
        std::uint64_t number = 0;  // in order of creation
    };

    api::Operation* find_running(const std::string& id);

    Rng& rng_;
    std::map<std::string, Entry> operations_;
    std::deque<std::string> ended_;  // in order of their end
    std::uint64_t begun_ = 0;
};

}  // namespace orch::operations
