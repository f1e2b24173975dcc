#include "node/supervisor/replica_runner.hpp"

#include "base/replace_file.hpp"
#include "node/lifecycle/run_record.hpp"
#include "node/supervisor/child_log.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cassert>
#include <csignal>
#include <system_error>
#include <utility>

namespace orch::node::supervisor {
namespace {

namespace action = lifecycle::engine_action;
namespace event = lifecycle::engine_event;
using lifecycle::ReplicaState;

// The pause before the first look lets the edges see that the replica drains.
constexpr Duration kLeaseLook = std::chrono::milliseconds(50);

// Of an engine of our own, whose slots need no counting: asked more often, an engine does not
// notice that a client left.
constexpr Duration kCacheLook = std::chrono::seconds(10);

std::string url_of(const HostPort& to) {
    return "http://" + to_string(to);
}

bool is_trouble(ReplicaState state) {
    return state == ReplicaState::backing_off || state == ReplicaState::broken;
}

}  // namespace

ReplicaRunner::ReplicaRunner(
    RunnerServices& services,
    lifecycle::PoolSpec spec,
    ReplicaId replica,
    lifecycle::EngineConfig config
)
    : services_(services),
      spec_(std::move(spec)),
      replica_(std::move(replica)),
      machine_(lifecycle::EngineFsm(config, services.rng)),
      wake_(services.clients.deadlines(), [this] { tell(event::TimerExpired{}); }),
      next_probe_(
          services.clients.deadlines(), [this] { services_.tasks.spawn(probe(probe_id_)); }
      ),
      next_look_(services.clients.deadlines(), [this] { look_for_leases(); }) {}

ReplicaRunner::ReplicaRunner(
    RunnerServices& services,
    lifecycle::PoolSpec spec,
    ReplicaId replica,
    lifecycle::EngineConfig config,
    HostPort to
)
    : ReplicaRunner(services, std::move(spec), std::move(replica), config) {
    machine_.emplace<lifecycle::WatchedEngineFsm>(config);
    rebind(std::move(to));
}

void ReplicaRunner::start() {
    tell(event::StartWanted{});
}

void ReplicaRunner::stop(Instant drain_until) {
    tell(event::StopWanted{drain_until});
}

void ReplicaRunner::leave(Instant drain_until) {
    if (watched() || status().state == ReplicaState::draining) {
        stop(drain_until);
        return;
    }
    leaving_ = true;
    tell(event::LeaveWanted{});
}

void ReplicaRunner::rebind(HostPort to) {
    to_ = std::move(to);
    services_.table.bind(spec_.id, replica_, {.url = url_of(*to_), .log_path = {}});
    services_.on_change();
}

void ReplicaRunner::connection_refused() {
    if (status().state != ReplicaState::ready || std::exchange(doubted_, true)) {
        return;
    }
    obey(action::Publish{});
    if (!probing_) {
        next_probe_.arm(Duration::zero());
    }
}

void ReplicaRunner::change_model(std::string model) {
    assert(at_rest() && !watched() && "its process has the model that it was started with");
    spec_.model = std::move(model);
}

const lifecycle::EngineStatus& ReplicaRunner::status() const {
    return std::visit(
        [](const auto& machine) -> const lifecycle::EngineStatus& { return machine.status(); },
        machine_
    );
}

bool ReplicaRunner::watched() const {
    return std::holds_alternative<lifecycle::WatchedEngineFsm>(machine_);
}

std::string ReplicaRunner::url() const {
    return to_ ? url_of(*to_) : std::string{};
}

bool ReplicaRunner::at_rest() const {
    const bool left_alone = leaving_ && process_ && status().state != ReplicaState::stopping;
    return left_alone || (!running_ && status().state == ReplicaState::stopped);
}

// Obeying may bring about further events; the machine takes in one after the other.
void ReplicaRunner::tell(lifecycle::EngineEvent event) {
    events_.push_back(std::move(event));
    if (std::exchange(obeying_, true)) {
        return;
    }
    while (!events_.empty()) {
        const lifecycle::EngineEvent next = std::move(events_.front());
        events_.pop_front();
        const Instant now = services_.clock.now();
        const lifecycle::EngineStatus before = status();
        const auto actions =
            std::visit([&](auto& machine) { return machine.resume(next, now); }, machine_);
        services_.probe.changed(spec_.id, replica_, before, status());
        for (const lifecycle::EngineAction& asked : actions) {
            std::visit([this](const auto& what) { obey(what); }, asked);
        }
    }
    obeying_ = false;
}

void ReplicaRunner::obey(const action::Spawn&) {
    running_ = true;
    ++start_;
    services_.tasks.spawn(run_process());
}

void ReplicaRunner::obey(const action::ProbeAt& action) {
    probe_id_ = action.probe;
    probing_ = false;
    next_probe_.arm(action.at - services_.clock.now());
}

void ReplicaRunner::obey(const action::Kill& action) {
    if (process_) {
        process_->signal(action.forcibly ? SIGKILL : SIGTERM);
    }
}

void ReplicaRunner::obey(const action::CloseUpstreams&) {
    services_.on_close_upstreams(spec_.id, replica_);
}

void ReplicaRunner::obey(const action::WriteHandoff&) {
    services_.tasks.spawn(write_handoff(make_handoff(), start_));
}

void ReplicaRunner::obey(const action::Publish&) {
    lifecycle::EngineStatus told = status();
    if (told.state != ReplicaState::ready) {
        doubted_ = false;
    } else if (doubted_) {
        told.state = ReplicaState::starting;
    }
    if (told.last_error.empty()) {
        failure_log_.clear();
    } else if (!failure_log_.empty()) {
        told.last_error += "\n" + failure_log_;
    }
    services_.table.set_status(spec_.id, replica_, told, services_.clock.wall());
    if (told.state == ReplicaState::draining) {
        next_look_.arm(kLeaseLook);
    } else {
        next_look_.disarm();
    }
    log_state();
    services_.on_change();
}

void ReplicaRunner::obey(const action::WakeAt& action) {
    wake_.arm(action.at - services_.clock.now());
}

// From a start to the end of its process.
Task<void> ReplicaRunner::run_process() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto launched = co_await services_.launcher.launch(spec_, replica_, services_.gpus);
    if (!launched) {
        running_ = false;
        tell(event::SpawnFailed{launched.error().message});
        services_.on_change();
        co_return;
    }
    take_in(std::move(*launched));
    co_await attend_process();
}

Task<void> ReplicaRunner::attend_process() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto exit = co_await process_->wait();
    if (!exit) {
        co_return;  // cancelled: the process goes on, and nobody asks any more
    }
    services_.run_records.remove(lifecycle::run_record_file_name(spec_.id, replica_));
    remove_handoff();
    const auto read = [path = log_path_] { return load_log_tail(path, kDiagnosisBytes); };
    exit->log_tail = co_await services_.blocking.offload(read);
    if (!status().ready_since) {
        failure_log_ = last_lines(exit->log_tail, kTailLines, kTailBytes);
    }
    process_.reset();
    running_ = false;
    tell(event::ChildExited{std::move(*exit)});
    services_.on_change();
}

void ReplicaRunner::take_in(LaunchedEngine engine) {
    if (!engine.record_problem.empty()) {
        services_.log.warn(
            "the next run of the daemon would not find this engine again",
            {{"pool", spec_.id}, {"replica", replica_}, {"reason", engine.record_problem}}
        );
    }
    inherited_.reset();
    set_slots_of_others(0);
    follow(EngineProcess(std::move(engine.child)), std::move(engine.plan), engine.log_path);
    services_.log.info(
        "the engine was started",
        {{"pool", spec_.id},
         {"replica", replica_},
         {"pid", process_->pid()},
         {"command", fmt::format("{}", fmt::join(plan_.command.argv, " "))},
         {"log", log_path_}}
    );
    tell(event::Spawned{process_->pid()});
}

void ReplicaRunner::adopt(Leftover engine, EnginePlan plan) {
    running_ = true;
    ++start_;
    inherited_.emplace();
    std::string log_path = engine.record().log_path;
    follow(EngineProcess(std::move(engine)), std::move(plan), std::move(log_path));
    services_.log.info(
        "an engine of an earlier run was adopted",
        {{"pool", spec_.id},
         {"replica", replica_},
         {"pid", process_->pid()},
         {"url", url_of(*to_)},
         {"log", log_path_}}
    );
    tell(event::Adopted{process_->pid()});
    services_.tasks.spawn(attend_process());
}

void ReplicaRunner::follow(EngineProcess process, EnginePlan plan, std::string log_path) {
    process_ = std::move(process);
    plan_ = std::move(plan);
    log_path_ = std::move(log_path);
    to_ = HostPort{"127.0.0.1", plan_.port};
    last_look_.reset();
    facts_.reset();
    failure_log_.clear();
    services_.table.bind(spec_.id, replica_, {.url = url_of(*to_), .log_path = log_path_});
}

Task<void> ReplicaRunner::probe(std::uint64_t id) {
    if (!to_) {
        co_return;
    }
    probing_ = true;
    ProbeQuestion question = make_question();
    const ProbeAnswer answer = co_await probe_engine(services_.clients, std::move(question));
    if (answer.cancelled || id != probe_id_) {
        co_return;
    }
    probing_ = false;
    const bool doubted = std::exchange(doubted_, false);
    services_.probe.probed(spec_.id, answer.outcome);
    learn(answer);
    event::Probed probed;
    probed.probe = id;
    probed.outcome = answer.outcome;
    probed.process_idle = answer.process_idle;
    probed.detail = answer.detail;
    tell(std::move(probed));
    if (doubted) {
        obey(action::Publish{});
    }
    services_.on_change();
}

// Before the machine hears of it: a replica is published as ready with its true slots.
void ReplicaRunner::learn(const ProbeAnswer& answer) {
    last_look_ = answer.process;
    if (answer.outcome != lifecycle::ProbeOutcome::ok) {
        return;
    }
    if (answer.props) {
        learn_facts(*answer.props);
    }
    if (answer.slots) {
        learn_slots(*answer.slots);
    }
    if (!log_path_.empty() && !std::exchange(trimming_, true)) {
        services_.tasks.spawn(trim_log_file());
    }
}

void ReplicaRunner::learn_facts(const engine::LlamaProps& props) {
    lifecycle::ReplicaFacts facts;
    facts.slots_total = props.total_slots;
    facts.ctx = props.n_ctx;
    facts.engine_version = props.build_info;
    if (!facts_ || facts_->slots_total != facts.slots_total || facts_->ctx != facts.ctx ||
        facts_->engine_version != facts.engine_version) {
        services_.table.set_facts(spec_.id, replica_, facts);
        facts_ = std::move(facts);
    }
}

void ReplicaRunner::learn_slots(const engine::LlamaSlots& slots) {
    next_cache_look_ = services_.clock.now() + kCacheLook;
    if (slots.cache_usage) {
        services_.probe.cache_used(
            spec_.id,
            replica_,
            spec_.engine,
            facts_ ? std::string_view(facts_->engine_version) : std::string_view(),
            *slots.cache_usage
        );
    }
    const auto cell = has_other_users() ? find_cell() : nullptr;
    if (cell == nullptr) {
        return;
    }
    const std::uint32_t ours = cell->claimed();
    if (!inherited_) {
        set_slots_of_others(slots.busy > ours ? slots.busy - ours : 0);
        return;
    }
    set_slots_of_others(inherited_->look(slots.busy, ours));
    if (inherited_->none_left()) {
        inherited_.reset();
    }
}

bool ReplicaRunner::has_other_users() const {
    return watched() || inherited_;
}

void ReplicaRunner::set_slots_of_others(std::uint32_t slots) {
    if (std::exchange(slots_of_others_, slots) != slots) {
        services_.table.set_slots_of_others(spec_.id, replica_, slots);
    }
}

void ReplicaRunner::look_for_leases() {
    const auto cell = find_cell();
    if (cell != nullptr && cell->claimed() == 0) {
        tell(event::Drained{});
    }
    if (status().state == ReplicaState::draining) {
        next_look_.arm(kLeaseLook);
    }
}

Task<void> ReplicaRunner::write_handoff(api::HandoffFile file, std::uint64_t start) {
    const std::string path =
        (services_.runtime_dir / api::handoff_file_name(spec_.id, replica_)).string();
    const auto write = [path, text = api::to_json(file)] { return replace_file(path, text); };
    const Result<void> written = co_await services_.blocking.offload(write);
    if (!written) {
        services_.log.warn(
            "the handoff file could not be written", {{"reason", written.error().message}}
        );
    } else if (start != start_ || !running_) {
        remove_handoff();
    }
}

Task<void> ReplicaRunner::trim_log_file() {
    const auto trim = [path = log_path_] {
        trim_log(path, kLogLimit);
        return true;
    };
    co_await services_.blocking.offload(trim);
    trimming_ = false;
}

void ReplicaRunner::remove_handoff() const {
    std::error_code ignored;
    std::filesystem::remove(
        services_.runtime_dir / api::handoff_file_name(spec_.id, replica_), ignored
    );
}

void ReplicaRunner::log_state() {
    const lifecycle::EngineStatus& now = status();
    if (logged_ == now.state) {
        return;
    }
    logged_ = now.state;
    const LogField fields[] = {
        {"pool", spec_.id},
        {"replica", replica_},
        {"state", lifecycle::to_string(now.state)},
        {"failures", now.failures},
        {"last_error", now.last_error},
    };
    const LogLevel level = is_trouble(now.state) ? LogLevel::warn : LogLevel::info;
    services_.log.write(level, "a replica changed its state", fields);
}

ProbeQuestion ReplicaRunner::make_question() const {
    ProbeQuestion question;
    question.to = *to_;
    question.target.family = spec_.engine;
    question.before = last_look_;
    question.count_slots = spec_.engine == EngineFamily::llamacpp &&
                           (has_other_users() || services_.clock.now() >= next_cache_look_);
    if (!watched()) {
        question.target.model_path = plan_.model_path;
        question.target.alias = spec_.served_name.str();
        question.child = status().pid;
    }
    return question;
}

api::HandoffFile ReplicaRunner::make_handoff() const {
    api::HandoffFile file;
    file.pool_id = spec_.id;
    file.replica_id = replica_;
    file.engine = spec_.engine;
    file.url = url();
    file.pid = status().pid;
    file.model = api::HandoffModel{spec_.served_name.str(), plan_.model_path};
    if (facts_) {
        file.engine_version = facts_->engine_version;
        file.slots_total = facts_->slots_total;
        file.slots_free = facts_->slots_total;
    }
    const std::vector<std::string>& argv = plan_.command.argv;
    file.flags.assign(argv.begin() + 1, argv.end());
    return file;
}

std::shared_ptr<const LoadCell> ReplicaRunner::find_cell() {
    const auto pool = services_.table.snapshot()->find(spec_.id);
    const auto* const replica = pool == nullptr ? nullptr : pool->find(replica_);
    return replica == nullptr ? nullptr : replica->cell;
}

}  // namespace orch::node::supervisor
