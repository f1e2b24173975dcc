#include "node/supervisor/leftover.hpp"
#include "node/supervisor/proc_reader.hpp"
#include "node/supervisor/stray_engines.hpp"
#include "node/supervisor/supervisor.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <system_error>
#include <utility>

// What a start does with the engines of an earlier run.
namespace orch::node::supervisor {

Task<void> Supervisor::begin() {
    std::vector<lifecycle::RunRecord> unwanted;
    std::set<std::int64_t> recorded;
    for (lifecycle::RunRecord& record : load_run_records()) {
        recorded.insert(record.pid);
        const bool adopted = co_await adopt(record);
        if (!adopted) {
            unwanted.push_back(std::move(record));
        }
    }
    const auto find_strays = [folder = run_records_.path(), recorded] {
        return find_stray_engines(folder, recorded);
    };
    std::vector<lifecycle::RunRecord> ending = co_await parts_.blocking.offload(find_strays);
    if (at_rest_ && config_.keep_engines) {
        ending.clear();
    }
    ending.insert(ending.end(), unwanted.begin(), unwanted.end());
    const Duration grace = config_.engine.stop_grace;
    co_await end_leftovers(parts_.clock, std::move(ending), grace, log_);
    std::ranges::for_each(unwanted, [this](const auto& record) { forget(record); });
    beginning_ = false;
    if (at_rest_) {
        notice_rest();
        co_return;
    }
    for (const auto& pool : table_.snapshot()->pools) {
        // One of which an engine was adopted is no longer at rest: all of it is to serve.
        if (!pool->spec->on_demand || !pool->at_rest()) {
            start_pool(pool->spec->id);
        }
    }
    co_await measure_models();
    if (!at_rest_) {
        table_.set_startable(true);
    }
    publish();
}

std::vector<lifecycle::RunRecord> Supervisor::load_run_records() {
    std::vector<lifecycle::RunRecord> records;
    for (const RecordFolder::Record& found : run_records_.load_all()) {
        auto record = lifecycle::run_record_from_json(found.text);
        // A copy under another name would speak for a process that has a record already.
        if (record &&
            found.name != lifecycle::run_record_file_name(record->pool, record->replica)) {
            record = fail(Errc::invalid_params, "its name is not its replica's");
        }
        if (!record) {
            log_.warn(
                "a run record is not readable and was dropped",
                {{"file", found.name}, {"reason", record.error().message}}
            );
            run_records_.remove(found.name);
            continue;
        }
        // Whoever serves again writes it anew.
        std::error_code ignored;
        std::filesystem::remove(
            config_.runtime_dir / api::handoff_file_name(record->pool, record->replica), ignored
        );
        records.push_back(std::move(*record));
    }
    return records;
}

// Whether nothing is left to do about the record: its process is a replica's again, or has ended.
Task<bool> Supervisor::adopt(lifecycle::RunRecord record) {
    const auto plan = co_await plan_for(record);
    if (at_rest_ && config_.keep_engines) {
        co_return true;  // the run after this one decides
    }
    auto engine = Leftover::find(parts_.tasks.executor(), record);
    lifecycle::RunFacts facts{load_boot_id(), load_process(record.pid), std::nullopt};
    if (plan && !at_rest_) {
        facts.start_digest = plan->digest;
    }
    switch (engine ? lifecycle::decide_run(record, facts) : lifecycle::RunVerdict::gone) {
        case lifecycle::RunVerdict::gone:
            forget(record);
            co_return true;
        case lifecycle::RunVerdict::adopt:
            find(record.pool, record.replica)->adopt(std::move(*engine), *plan);
            publish();
            co_return true;
        case lifecycle::RunVerdict::end:
            log_.info(
                "an engine of an earlier run is not wanted as it is",
                {{"pool", record.pool},
                 {"replica", record.replica},
                 {"pid", record.pid},
                 {"reason",
                  plan ? "its command line, environment, program or model has changed"
                       : plan.error().message}}
            );
            co_return false;
    }
    co_return false;
}

// What would be started in the place of a recorded engine. Errors: why nothing would.
Task<Result<EnginePlan>> Supervisor::plan_for(lifecycle::RunRecord record) {
    const ReplicaRunner* const runner = find(record.pool, record.replica);
    const auto pool = table_.snapshot()->find(record.pool);
    if (runner == nullptr || runner->watched() || pool == nullptr) {
        co_return fail(Errc::not_found, "no pool of the settings has such a replica");
    }
    lifecycle::PoolSpec spec = *pool->spec;
    std::vector<lifecycle::GpuIdentity> gpus = services_.gpus;
    co_return co_await launcher_.plan(std::move(spec), std::move(gpus), record.port);
}

void Supervisor::forget(const lifecycle::RunRecord& record) const {
    run_records_.remove(lifecycle::run_record_file_name(record.pool, record.replica));
}

}  // namespace orch::node::supervisor
