#include "node/lifecycle/run_record.hpp"

#include "base/json.hpp"

#include <fmt/format.h>

namespace orch::node::lifecycle {

std::string run_record_file_name(const PoolId& pool, const ReplicaId& replica) {
    return fmt::format("{}-{}.json", pool.str(), replica.str());
}

std::string to_json(const RunRecord& record) {
    return json::encode(record);
}

Result<RunRecord> run_record_from_json(std::string_view text) {
    auto record = json::decode<RunRecord>(text);
    if (!record) {
        return record;
    }
    if (!valid_id(record->pool.str()) || !valid_id(record->replica.str())) {
        return fail(Errc::invalid_params, "pool, replica: must match [A-Za-z0-9._-]{1,64}");
    }
    if (record->pid <= 1) {
        return fail(Errc::invalid_params, "pid: must be above 1");
    }
    if (record->start_time == 0 || record->port == 0 || record->boot_id.empty()) {
        return fail(Errc::invalid_params, "start_time, port, boot_id: must be given");
    }
    return record;
}

RunVerdict decide_run(const RunRecord& record, const RunFacts& facts) {
    const bool same_process = facts.boot_id == record.boot_id && facts.process &&
                              facts.process->pid == record.pid &&
                              facts.process->start_time == record.start_time;
    if (!same_process || facts.process->state == 'Z' || facts.process->state == 'X') {
        return RunVerdict::gone;
    }
    const bool wanted = !record.start_digest.empty() && facts.start_digest == record.start_digest;
    return wanted ? RunVerdict::adopt : RunVerdict::end;
}

}  // namespace orch::node::lifecycle
