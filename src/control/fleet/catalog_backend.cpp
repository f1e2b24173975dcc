#include "control/fleet/catalog_backend.hpp"

#include "api/model_messages.hpp"
#include "control/catalog/catalog_listing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace orch::control::fleet {
namespace {

constexpr std::string_view kVerify = "model.verify";
constexpr std::string_view kDigestMismatch = "digest_mismatch";

constexpr Duration kAskAgain = std::chrono::milliseconds(300);

// How late a deadline may be noticed; the time of day may be set meanwhile.
constexpr Duration kDeadlineLook = std::chrono::seconds(1);

// A node that does not answer for so long, while it still sends heartbeats, is given up.
constexpr Duration kPatience = std::chrono::seconds(30);

const api::ModelReport* find_copy(const api::NodeInfo& node, const std::string& id) {
    const auto copy = std::ranges::find(node.models, id, &api::ModelReport::id);
    const bool whole = copy != node.models.end() && copy->state != api::kModelStaging;
    return whole ? &*copy : nullptr;
}

Result<void> said_by(const api::Operation& operation) {
    return operation.error ? fail(Errc::conflict, *operation.error) : Result<void>();
}

std::string add_request(const catalog::StagingPlan& plan, const catalog::StagingStep& step) {
    api::AddModelRequest request;
    request.source = step.source;
    request.id = plan.model_id;
    request.digest = plan.digest;
    request.peer = step.peer;
    return api::to_json(request);
}

}  // namespace

// One operation of several nodes.
struct CatalogBackend::Run {
    struct Call {
        NodeId node;
        std::string address;
        std::string path;
        std::string body;
    };

    std::string kind;
    std::string model;
    std::string operation;
    std::vector<Call> calls;  // as parts
    std::vector<api::OperationPart> parts;
    std::size_t left = 0;  // parts that have not ended

    void add(Call call, std::string source, Bytes bytes) {
        api::OperationPart part;
        part.node_id = call.node.str();
        part.state = api::kRunning;
        part.source = std::move(source);
        part.bytes_total = bytes;
        parts.push_back(std::move(part));
        calls.push_back(std::move(call));
    }

    // The part has nothing to do, or cannot do it.
    void settle(std::string_view state, std::string error) {
        parts.back().state = state;
        if (!error.empty()) {
            parts.back().error = std::move(error);
        }
        if (state == api::kSkipped) {
            parts.back().bytes_done = parts.back().bytes_total;
        }
    }
};

CatalogBackend::CatalogBackend(
    Parts parts, const auth::OutboundToken& token, OnRetired on_retired, Logger log
)
    : parts_(parts),
      client_(parts.clients, token),
      log_(std::move(log)),
      operations_(parts.rng),
      on_retired_(std::move(on_retired)) {}

CatalogBackend::Snapshot CatalogBackend::snapshot() {
    return {table_.text(), ++version_};
}

std::vector<api::NodeInfo> CatalogBackend::nodes() const {
    return parts_.registry.table().list(parts_.registry.now());
}

api::CatalogModelList CatalogBackend::list() const {
    return catalog::list_catalog(table_, nodes(), parts_.clock.wall());
}

Result<api::CatalogModel> CatalogBackend::get(const std::string& id) const {
    return catalog::get_catalog_model(table_, nodes(), id, parts_.clock.wall());
}

bool CatalogBackend::put(api::CatalogModel model) {
    const bool fresh = table_.put(std::move(model), parts_.clock.wall());
    tell_states();
    return fresh;
}

Result<void> CatalogBackend::remove(const std::string& id) {
    auto removed = table_.remove(id);
    if (removed) {
        parts_.probe.model_removed(id);
        tell_states();
    }
    return removed;
}

Result<api::CatalogModel> CatalogBackend::set_state(
    const std::string& id, const api::ModelStateRequest& request
) {
    if (auto known = get(id); !known) {
        return known;
    }
    table_.set_state(id, request, parts_.clock.wall());
    tell_states();
    log_.info("a model's state was set", {{"model", id}, {"state", request.state}});
    return get(id);
}

Result<api::Operation> CatalogBackend::stage(const api::StageRequest& request) {
    const auto id = catalog::staged_id(request);
    const auto* const entry = id ? table_.find(*id) : nullptr;
    const auto plan = catalog::plan_staging(request, entry, nodes());
    if (!plan) {
        return std::unexpected(plan.error());
    }
    auto run = std::make_shared<Run>();
    run->kind = "model.stage";
    run->model = plan->model_id;
    for (const catalog::StagingStep& step : plan->steps) {
        std::string body = step.has_it ? std::string() : add_request(*plan, step);
        run->add(
            {step.node, step.address, "/v2/models", std::move(body)}, step.source, plan->bytes
        );
        if (step.has_it) {
            run->settle(api::kSkipped, "");
        } else if (!step.hindrance.empty()) {
            run->settle(api::kFailed, step.hindrance);
        }
    }
    return begin(std::move(run));
}

Result<api::Operation> CatalogBackend::verify(const std::string& id) {
    const auto model = get(id);
    if (!model) {
        return std::unexpected(model.error());
    }
    auto run = std::make_shared<Run>();
    run->kind = kVerify;
    run->model = id;
    for (const api::NodeInfo& node : nodes()) {
        const api::ModelReport* const copy = node.online ? find_copy(node, id) : nullptr;
        if (copy == nullptr) {
            continue;
        }
        const std::string path = fmt::format("/v2/models/{}/verify", id);
        run->add({node.node_id, node.address, path, {}}, "", copy->bytes);
        if (model->digest && copy->digest && model->digest != copy->digest) {
            run->settle(
                api::kFailed,
                fmt::format("digest: is {}, the catalog says {}", *copy->digest, *model->digest)
            );
            parts_.probe.verification_failed(node.node_id, kDigestMismatch);
        }
    }
    return begin(std::move(run));
}

api::Operation CatalogBackend::begin(std::shared_ptr<Run> run) {
    run->operation = operations_.begin(run->kind, run->model, parts_.clock.wall()).id;
    const auto runs = [](const api::OperationPart& part) { return part.state == api::kRunning; };
    run->left = static_cast<std::size_t>(std::ranges::count_if(run->parts, runs));
    for (std::size_t i = 0; i < run->parts.size(); ++i) {
        if (runs(run->parts[i])) {
            parts_.tasks.spawn(drive(run, i));
        }
    }
    told(*run);
    return *operations_.find(run->operation);
}

bool CatalogBackend::is_online(const NodeId& node) const {
    const auto info = parts_.registry.table().get(node, parts_.registry.now());
    return info && info->online;
}

Task<void> CatalogBackend::drive(std::shared_ptr<Run> run, std::size_t index) {
    const Run::Call& call = run->calls[index];
    const auto begun = co_await client_.begin(call.address, call.path, call.body);
    Result<void> outcome;
    if (!begun) {
        outcome = std::unexpected(begun.error());
    } else {
        outcome = co_await follow(run, index, begun->id);
    }
    if (!parts_.tasks.cancelled()) {
        end_part(*run, index, std::move(outcome));
    }
}

// Until the node's own operation has ended. A node that is Offline, or silent for longer than
// kPatience, is lost. Errors: conflict (what the node says), node_unavailable (lost).
Task<Result<void>> CatalogBackend::follow(
    std::shared_ptr<Run> run, std::size_t index, std::string id
) {
    const Run::Call& call = run->calls[index];
    Instant heard = parts_.clock.now();
    for (;;) {
        const auto operation = co_await client_.follow(call.address, id);
        const Instant now = parts_.clock.now();
        if (operation) {
            heard = now;
            run->parts[index].bytes_done = operation->bytes_done;
            run->parts[index].bytes_total = operation->bytes_total;
            told(*run);
            if (operation->ended()) {
                co_return said_by(*operation);
            }
        } else if (operation.error().code == Errc::not_found) {
            co_return fail(Errc::conflict, "the node has started anew and gave the work up");
        } else if (!is_online(call.node) || now - heard > kPatience) {
            co_return fail(
                Errc::node_unavailable,
                fmt::format("the node was lost: {}", operation.error().message)
            );
        }
        if (!co_await parts_.clock.sleep_for(kAskAgain)) {
            co_return fail(Errc::cancelled, "stopped");
        }
    }
}

void CatalogBackend::end_part(Run& run, std::size_t index, Result<void> outcome) {
    api::OperationPart& part = run.parts[index];
    part.state = outcome ? api::kSucceeded : api::kFailed;
    if (run.kind == kVerify) {
        count_verification(run.calls[index].node, outcome);
    }
    if (outcome) {
        part.bytes_done = part.bytes_total;
    } else {
        part.error = std::move(outcome.error().message);
        log_.warn(
            "a node's part of an operation failed",
            {{"operation", run.kind},
             {"model", run.model},
             {"node_id", part.node_id},
             {"reason", *part.error}}
        );
    }
    --run.left;
    told(run);
}

// An error names its field: `digest` when the bytes are others than they were.
void CatalogBackend::count_verification(const NodeId& node, const Result<void>& outcome) {
    if (outcome) {
        parts_.probe.verified(node);
        return;
    }
    const Error& error = outcome.error();
    parts_.probe.verification_failed(
        node,
        error.code == Errc::node_unavailable   ? "unreachable"
        : error.message.starts_with("digest:") ? kDigestMismatch
                                               : "error"
    );
}

void CatalogBackend::tell_states() {
    const WallTime now = parts_.clock.wall();
    for (const auto& [id, model] : table_.entries()) {
        parts_.probe.model_state(id, catalog::CatalogTable::retired(model, now));
    }
    std::set<std::string> ids = table_.retired_ids(now);
    auto retired = std::make_shared<const view::RetiredModels>(ids.begin(), ids.end());
    if (*retired != *retired_) {
        retired_ = std::move(retired);
        on_retired_(retired_);
    }
    if (!following_ && table_.next_retirement(now)) {
        following_ = true;
        parts_.tasks.spawn(follow_deadlines());
    }
}

Task<void> CatalogBackend::follow_deadlines() {
    while (const auto next = table_.next_retirement(parts_.clock.wall())) {
        const Duration left = *next - parts_.clock.wall();
        if (!co_await parts_.clock.sleep_for(std::min(left, kDeadlineLook))) {
            break;
        }
        tell_states();
    }
    following_ = false;
}

// Shows the parts and, with the last of them, ends the operation.
void CatalogBackend::told(Run& run) {
    const WallTime now = parts_.clock.wall();
    operations_.set_parts(run.operation, run.parts, now);
    if (run.left > 0) {
        return;
    }
    std::vector<std::string> failures;
    for (const api::OperationPart& part : run.parts) {
        if (part.error) {
            failures.push_back(fmt::format("{}: {}", part.node_id, *part.error));
        }
    }
    operations_.end(run.operation, fmt::format("{}", fmt::join(failures, "; ")), now);
    if (failures.empty() && run.kind == kVerify) {
        table_.note_verified(run.model, now);
    }
}

}  // namespace orch::control::fleet
