#include "operations/operation_table.hpp"

#include <algorithm>
#include <utility>

namespace orch::operations {

api::Operation& OperationTable::begin(std::string kind, std::string target, WallTime now) {
    const std::string id = "op-" + make_uuid(rng_);
    Entry& entry = operations_[id];
    entry.number = ++begun_;
    entry.operation.id = id;
    entry.operation.kind = std::move(kind);
    entry.operation.target = std::move(target);
    entry.operation.created_ms = unix_ms(now);
    entry.operation.updated_ms = unix_ms(now);
    return entry.operation;
}

api::Operation* OperationTable::find_running(const std::string& id) {
    const auto found = operations_.find(id);
    const bool running = found != operations_.end() && !found->second.operation.ended();
    return running ? &found->second.operation : nullptr;
}

void OperationTable::advance(const std::string& id, Bytes done, Bytes total, WallTime now) {
    if (api::Operation* const operation = find_running(id)) {
        operation->bytes_done = done;
        operation->bytes_total = std::max(total, done);
        operation->progress =
            total == 0 ? 0
                       : static_cast<double>(done) / static_cast<double>(operation->bytes_total);
        operation->updated_ms = unix_ms(now);
    }
}

void OperationTable::set_parts(
    const std::string& id, std::vector<api::OperationPart> parts, WallTime now
) {
    Bytes done = 0;
    Bytes total = 0;
    for (const api::OperationPart& part : parts) {
        done += part.bytes_done;
        total += part.bytes_total;
    }
    if (api::Operation* const operation = find_running(id)) {
        operation->nodes = std::move(parts);
        advance(id, done, total, now);
    }
}

void OperationTable::end(const std::string& id, std::string error, WallTime now) {
    api::Operation* const operation = find_running(id);
    if (operation == nullptr) {
        return;
    }
    const bool good = error.empty();
    operation->state = good ? api::kSucceeded : api::kFailed;
    operation->progress = good ? 1 : operation->progress;
    operation->updated_ms = unix_ms(now);
    if (!good) {
        operation->error = std::move(error);
    }
    ended_.push_back(id);
    if (ended_.size() > kRemembered) {
        operations_.erase(ended_.front());
        ended_.pop_front();
    }
}

const api::Operation* OperationTable::find(const std::string& id) const {
    const auto found = operations_.find(id);
    return found == operations_.end() ? nullptr : &found->second.operation;
}

std::vector<api::Operation> OperationTable::list() const {
    std::vector<const Entry*> entries;
    for (const auto& [id, entry] : operations_) {
        entries.push_back(&entry);
    }
    std::ranges::sort(entries, std::ranges::greater(), &Entry::number);
    std::vector<api::Operation> operations;
    operations.reserve(entries.size());
    for (const Entry* const entry : entries) {
        operations.push_back(entry->operation);
    }
    return operations;
}

}  // namespace orch::operations
