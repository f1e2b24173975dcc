#include "engine/allow_list.hpp"

#include <algorithm>
#include <array>

namespace orch::engine {
namespace {

constexpr auto kLease = SlotNeed::lease;

constexpr std::array kLlamacpp{
    RelayRule{"POST", "/v1/chat/completions", kLease},
    RelayRule{"POST", "/v1/completions", kLease},
    RelayRule{"POST", "/v1/embeddings", kLease},
    RelayRule{"POST", "/v1/rerank", kLease},
    RelayRule{"POST", "/v1/responses", kLease},
    RelayRule{"POST", "/v1/messages", kLease},
    RelayRule{"POST", "/completion", kLease},
    RelayRule{"POST", "/tokenize"},
    RelayRule{"POST", "/detokenize"},
    RelayRule{"POST", "/apply-template"},
    RelayRule{"POST", "/v1/chat/completions/input_tokens"},
    RelayRule{"GET", "/v1/models"},
    RelayRule{"GET", "/props"},
    RelayRule{"GET", "/slots"},
    RelayRule{"GET", "/health"},
};

// What every server that speaks OpenAI's API may have.
constexpr std::array kOpenai{
    RelayRule{"POST", "/v1/chat/completions", kLease},
    RelayRule{"POST", "/v1/completions", kLease},
    RelayRule{"POST", "/v1/embeddings", kLease},
    RelayRule{"POST", "/v1/rerank", kLease},
    RelayRule{"POST", "/v1/responses", kLease},
    RelayRule{"POST", "/v1/messages", kLease},
    RelayRule{"GET", "/v1/models"},
};

}  // namespace

std::span<const RelayRule> relay_rules(EngineFamily family) {
    if (family == EngineFamily::llamacpp) {
        return kLlamacpp;
    }
    return kOpenai;
}

std::optional<RelayRule> find_relay_rule(
    EngineFamily family, std::string_view method, std::string_view path
) {
    const auto rules = relay_rules(family);
    const auto found = std::ranges::find_if(rules, [&](const RelayRule& rule) {
        return rule.method == method && rule.path == path;
    });
    return found == rules.end() ? std::nullopt : std::optional(*found);
}

}  // namespace orch::engine
