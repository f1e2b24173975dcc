#include "api/task_submit.hpp"

#include "api/checks.hpp"

#include <algorithm>

namespace orch::api {
namespace {

namespace bj = json::bj;

constexpr std::int64_t kMaxCtx = 32768;
constexpr std::int64_t kMaxTokens = 50000;
constexpr std::int64_t kMaxDeadlineMs = 1000LL * 86400 * 365;
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxPools = 256;
constexpr std::size_t kMaxInputs = 2048;
constexpr std::size_t kMaxStops = 16;

void check_word(
    Checks& checks,
    const std::optional<std::string>& word,
    std::string_view path,
    std::initializer_list<std::string_view> allowed
) {
    const bool known =
        !word || std::ranges::find(allowed, std::string_view(*word)) != allowed.end();
    checks.require(known, path, fmt::format("one of {}", fmt::join(allowed, ", ")));
}

void check_name(Checks& checks, const std::optional<std::string>& name, std::string_view path) {
    if (name) {
        checks.require(!name->empty(), path, "not empty");
        checks.text(*name, kMaxName, path);
    }
}

void check_pools(Checks& checks, const std::vector<PoolId>& pools, const std::string& path) {
    checks.count(pools.size(), kMaxPools, path);
    for (std::size_t i = 0; i < pools.size() && checks.ok(); ++i) {
        checks.id(pools[i].str(), fmt::format("{}[{}]", path, i));
    }
}

void check_mode(Checks& checks, const TaskPlacement& placement) {
    check_word(checks, placement.mode, "placement.mode", {"pin", "prefer", "auto"});
    const std::string mode = placement.mode.value_or("");
    const bool pinned = placement.pin_pool_id || placement.node_id;
    checks.require(
        mode != "pin" || pinned, "placement.pin_pool_id", "given (or node_id), as mode is pin"
    );
    checks.require(
        mode != "prefer" || !placement.prefer_pools.empty(),
        "placement.prefer_pools",
        "given, as mode is prefer"
    );
    checks.require(
        mode != "auto" || !placement.pin_pool_id,
        "placement.pin_pool_id",
        "left out, as mode is auto"
    );
}

void check_placement(Checks& checks, const TaskPlacement& placement) {
    if (placement.pin_pool_id) {
        checks.id(placement.pin_pool_id->str(), "placement.pin_pool_id");
    }
    if (placement.node_id) {
        checks.id(placement.node_id->str(), "placement.node_id");
    }
    check_pools(checks, placement.prefer_pools, "placement.prefer_pools");
    check_pools(checks, placement.avoid_pools, "placement.avoid_pools");
    checks.labels(placement.labels, "placement.labels");
    check_name(checks, placement.require_device_mask, "placement.require_device_mask");
    check_mode(checks, placement);
}

void check_range(
    Checks& checks,
    const std::optional<std::int64_t>& number,
    std::string_view path,
    std::int64_t low,
    std::int64_t high
) {
    const bool inside = !number || (*number >= low && *number <= high);
    checks.require(inside, path, fmt::format("from {} to {}", low, high));
}

void check_messages(Checks& checks, const std::vector<bj::value>& messages) {
    checks.require(!messages.empty(), "messages", "a list of one or more");
    for (std::size_t i = 0; i < messages.size() && checks.ok(); ++i) {
        const bj::value* const role =
            messages[i].is_object() ? messages[i].get_object().if_contains("role") : nullptr;
        checks.require(
            messages[i].is_object(), fmt::format("messages[{}]", i), "an object with a role"
        );
        checks.require(
            role != nullptr && role->is_string(), fmt::format("messages[{}].role", i), "a string"
        );
    }
}

void check_inputs(Checks& checks, const std::vector<std::string>& inputs) {
    checks.require(!inputs.empty(), "inputs", "a list of one or more");
    checks.count(inputs.size(), kMaxInputs, "inputs");
    for (std::size_t i = 0; i < inputs.size() && checks.ok(); ++i) {
        checks.require(!inputs[i].empty(), fmt::format("inputs[{}]", i), "not empty");
    }
}

bool is_stop(const bj::value& stop) {
    if (stop.is_string()) {
        return true;
    }
    return stop.is_array() && stop.get_array().size() <= kMaxStops &&
           std::ranges::all_of(stop.get_array(), [](const bj::value& text) {
               return text.is_string();
           });
}

void check_input(Checks& checks, const TaskSubmit& message) {
    const int given =
        (message.prompt ? 1 : 0) + (message.messages ? 1 : 0) + (message.inputs ? 1 : 0);
    checks.require(given > 0, "prompt", "given, or messages, or inputs");
    checks.require(
        given < 2,
        message.prompt ? "prompt" : "messages",
        "the only one of prompt, messages and inputs"
    );
    if (message.messages) {
        check_messages(checks, *message.messages);
    }
    if (message.inputs) {
        check_inputs(checks, *message.inputs);
    }
}

void check_workload(Checks& checks, const TaskSubmit& message) {
    check_word(checks, message.workload, "workload", {"completion", "embedding", "rerank"});
    const bool completion = message.kind() == ModelKind::chat;
    checks.require(
        completion != message.inputs.has_value(),
        "workload",
        "completion for a prompt or messages, embedding or rerank for inputs"
    );
    const bool rerank = message.kind() == ModelKind::rerank;
    checks.require(
        !rerank || (message.query && !message.query->empty()), "query", "given for a rerank"
    );
    checks.require(rerank || !message.query, "query", "left out, as workload is not rerank");
}

void check_sampling(Checks& checks, const TaskSubmit& message) {
    checks.require(
        message.temperature >= 0 && message.temperature <= 100, "temperature", "from 0 to 100"
    );
    checks.require(message.top_p >= 0 && message.top_p <= 1, "top_p", "from 0 to 1");
    checks.require(
        !message.stop || is_stop(*message.stop), "stop", "a string or at most 16 strings"
    );
    check_range(checks, message.max_tokens, "max_tokens", 1, kMaxTokens);
    check_range(checks, message.expected_tokens, "expected_tokens", 0, kMaxDeadlineMs);
}

void check_words(Checks& checks, const TaskSubmit& message) {
    check_word(checks, message.priority, "priority", {"interactive", "batch"});
    check_word(checks, message.engine, "engine", {"llamacpp", "vllm", "tgi", "triton", "openai"});
    check_word(checks, message.determinism, "determinism", {"strict", "best_effort"});
    check_word(checks, message.kv_hint, "kv_hint", {"reuse", "cold"});
}

void check_names(Checks& checks, const TaskSubmit& message) {
    if (message.task_id) {
        checks.id(*message.task_id, "task_id");
    }
    check_name(checks, message.session_id, "session_id");
    checks.require(message.model_ref || message.model, "model_ref", "given");
    checks.require(
        !message.model_ref || !message.model || *message.model_ref == *message.model,
        "model",
        "the same as model_ref"
    );
    check_name(checks, message.model_ref, "model_ref");
    check_name(checks, message.model, "model");
}

void add_sampling(bj::object& body, const TaskSubmit& message) {
    body["temperature"] = message.temperature;
    body["top_p"] = message.top_p;
    if (message.max_tokens) {
        body["max_tokens"] = *message.max_tokens;
    }
    if (message.seed) {
        body["seed"] = *message.seed;
    }
    if (message.stop) {
        body["stop"] = *message.stop;
    }
    if (message.kv_hint == "cold" && message.engine.value_or("llamacpp") == "llamacpp") {
        body["cache_prompt"] = false;
    }
    body["stream"] = true;
    body["stream_options"] = bj::object{{"include_usage", true}};
}

bj::array texts(const std::vector<std::string>& inputs) {
    bj::array array;
    for (const std::string& input : inputs) {
        array.push_back(bj::string(input));
    }
    return array;
}

}  // namespace

ModelKind TaskSubmit::kind() const {
    if (workload == "rerank") {
        return ModelKind::rerank;
    }
    const bool embeds = workload ? *workload == "embedding" : inputs.has_value();
    return embeds ? ModelKind::embedding : ModelKind::chat;
}

Result<void> validate(const TaskSubmit& message) {
    Checks checks;
    check_range(checks, message.ctx, "ctx", 0, kMaxCtx);
    if (checks.ok() && message.deadline_ms && *message.deadline_ms <= 0) {
        return fail(Errc::deadline_unmet, "deadline_ms: must be above 0");
    }
    check_range(checks, message.deadline_ms, "deadline_ms", 1, kMaxDeadlineMs);
    check_names(checks, message);
    check_input(checks, message);
    check_workload(checks, message);
    check_words(checks, message);
    check_sampling(checks, message);
    check_placement(checks, message.placement);
    return checks.result();
}

template <>
Result<TaskSubmit> from_json(std::string_view text) {
    auto message = json::decode<TaskSubmit>(text);
    if (!message) {
        return message;
    }
    if (auto valid = validate(*message); !valid) {
        return std::unexpected(valid.error());
    }
    return message;
}

EngineCall make_engine_call(const TaskSubmit& message) {
    bj::object body;
    body["model"] = bj::string(message.model_name());
    EngineCall call;
    if (message.inputs && message.kind() == ModelKind::rerank) {
        call.path = "/v1/rerank";
        body["query"] = bj::string(message.query.value_or(""));
        body["documents"] = texts(*message.inputs);
    } else if (message.inputs) {
        call.path = "/v1/embeddings";
        body["input"] = texts(*message.inputs);
    } else if (message.messages) {
        call.path = "/v1/chat/completions";
        body["messages"] = json::write(*message.messages, json::Nulls::write);
        add_sampling(body, message);
    } else {
        call.path = "/v1/completions";
        body["prompt"] = bj::string(message.prompt.value_or(""));
        add_sampling(body, message);
    }
    call.body = json::serialize(body);
    return call;
}

}  // namespace orch::api
