#include "engine/probe.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::engine {
namespace {

constexpr std::string_view kHealth = "/health";
constexpr std::string_view kProps = "/props";
constexpr std::string_view kModels = "/v1/models";

// https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol
constexpr std::string_view kTritonHealth = "/v2/health/ready";

bool is_2xx(int status) {
    return status >= 200 && status < 300;
}

bool names_model(const LlamaProps& props, const ProbeTarget& target) {
    const bool any = target.model_path.empty() && target.alias.empty();
    return any || (!target.model_path.empty() && props.model_path == target.model_path) ||
           (!target.alias.empty() && props.model_alias == target.alias);
}

}  // namespace

ReadinessProbe::ReadinessProbe(ProbeTarget target) : target_(std::move(target)) {}

std::optional<std::string_view> ReadinessProbe::next_path() const {
    if (verdict_ != ProbeVerdict::undecided) {
        return std::nullopt;
    }
    if (target_.family == EngineFamily::llamacpp) {
        return second_ ? kProps : kHealth;
    }
    if (!second_) {
        return kModels;
    }
    return target_.family == EngineFamily::triton ? kTritonHealth : kHealth;
}

void ReadinessProbe::answered(int status, std::string_view body) {
    if (target_.family != EngineFamily::llamacpp) {
        judge_listing(status);
    } else if (second_) {
        judge_props(status, body);
    } else {
        judge_health(status, body);
    }
}

void ReadinessProbe::unanswered(std::string reason) {
    conclude(
        ProbeVerdict::failing,
        fmt::format("no answer to GET {}: {}", next_path().value_or(""), reason)
    );
}

void ReadinessProbe::judge_health(int status, std::string_view body) {
    switch (judge_llama_health(status, body)) {
        case LlamaHealth::ok:
            second_ = true;
            break;
        case LlamaHealth::loading:
            conclude(ProbeVerdict::loading, "GET /health: the model is being loaded");
            break;
        case LlamaHealth::failing:
            conclude(ProbeVerdict::failing, fmt::format("GET /health: status {}", status));
            break;
    }
}

void ReadinessProbe::judge_props(int status, std::string_view body) {
    if (judge_llama_health(status, body) == LlamaHealth::loading) {
        conclude(ProbeVerdict::loading, "GET /props: the model is being loaded");
        return;
    }
    if (status != 200) {
        conclude(ProbeVerdict::failing, fmt::format("GET /props: status {}", status));
        return;
    }
    auto props = parse_llama_props(body);
    if (!props) {
        conclude(ProbeVerdict::failing, "GET /props: " + props.error().message);
        return;
    }
    props_ = std::move(*props);
    if (names_model(*props_, target_)) {
        conclude(ProbeVerdict::ready, "");
        return;
    }
    conclude(
        ProbeVerdict::other_model,
        fmt::format("GET /props: serves {} ({})", props_->model_alias, props_->model_path)
    );
}

void ReadinessProbe::judge_listing(int status) {
    if (is_2xx(status)) {
        conclude(ProbeVerdict::ready, "");
    } else if (second_) {
        conclude(
            ProbeVerdict::failing,
            fmt::format("GET {}: status {}", next_path().value_or(""), status)
        );
    } else {
        second_ = true;
    }
}

void ReadinessProbe::conclude(ProbeVerdict verdict, std::string reason) {
    verdict_ = verdict;
    reason_ = std::move(reason);
}

}  // namespace orch::engine
