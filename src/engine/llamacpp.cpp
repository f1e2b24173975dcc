#include "engine/llamacpp.hpp"

#include "base/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace orch::engine {
namespace {

// The part of /props that is about one slot.
struct SlotSettings {
    std::optional<std::uint32_t> n_ctx;
};

struct PropsBody {
    std::optional<std::uint32_t> total_slots;
    SlotSettings default_generation_settings;
    std::string model_alias;
    std::string model_path;
    std::string build_info;
    bool is_sleeping = false;
};

struct SlotBody {
    bool is_processing = false;
    std::optional<std::uint64_t> n_ctx{};
    std::optional<std::uint64_t> n_prompt_tokens{
    };  // grows with the answer; absent in a fresh slot
};

BOOST_DESCRIBE_STRUCT(SlotSettings, (), (n_ctx))
BOOST_DESCRIBE_STRUCT(
    PropsBody,
    (),
    (total_slots, default_generation_settings, model_alias, model_path, build_info, is_sleeping)
)
BOOST_DESCRIBE_STRUCT(SlotBody, (), (is_processing, n_ctx, n_prompt_tokens))

template <class T>
Result<T> read(std::string_view body) {
    const auto tree = json::parse(body);
    if (!tree) {
        return std::unexpected(tree.error());
    }
    T out{};
    if (auto outcome = json::read_into(*tree, out, ""); !outcome) {
        return std::unexpected(std::move(outcome.error()));
    }
    return out;
}

const json::bj::object* error_object(const json::bj::value& tree) {
    const json::bj::object* const top = tree.if_object();
    const json::bj::value* const error = top == nullptr ? nullptr : top->if_contains("error");
    return error == nullptr ? nullptr : error->if_object();
}

std::string text_at(const json::bj::object& object, std::string_view key) {
    const json::bj::value* const found = object.if_contains(key);
    const json::bj::string* const text = found == nullptr ? nullptr : found->if_string();
    return text == nullptr ? std::string{} : std::string(*text);
}

std::optional<std::uint32_t> count_at(const json::bj::object& object, std::string_view key) {
    const json::bj::value* const found = object.if_contains(key);
    std::uint32_t number = 0;
    if (found == nullptr || !json::read_into(*found, number, "")) {
        return std::nullopt;
    }
    return number;
}

// What llama-server says with status 500 when the request was wrong.
bool blames_request(std::string_view message) {
    constexpr std::array<std::string_view, 4> kSigns{
        "json.exception", "input is not supported", "too large to process", "Failed to load image"
    };
    return std::ranges::any_of(kSigns, [message](std::string_view sign) {
        return message.find(sign) != std::string_view::npos;
    });
}

std::optional<double> cache_usage_of(const std::vector<SlotBody>& slots) {
    std::uint64_t room = 0;
    std::uint64_t held = 0;
    for (const SlotBody& slot : slots) {
        if (!slot.n_ctx || (slot.is_processing && !slot.n_prompt_tokens)) {
            return std::nullopt;
        }
        room += *slot.n_ctx;
        held += std::min(slot.n_prompt_tokens.value_or(0), *slot.n_ctx);
    }
    return room == 0 ? std::nullopt
                     : std::optional(static_cast<double>(held) / static_cast<double>(room));
}

}  // namespace

LlamaHealth judge_llama_health(int status, std::string_view body) {
    if (status == 200) {
        return LlamaHealth::ok;
    }
    const auto error = parse_engine_error(body);
    const bool loading = status == 503 && error && error->type == "unavailable_error";
    return loading ? LlamaHealth::loading : LlamaHealth::failing;
}

Result<LlamaProps> parse_llama_props(std::string_view body) {
    auto got = read<PropsBody>(body);
    if (!got) {
        return std::unexpected(std::move(got.error()));
    }
    if (!got->total_slots || *got->total_slots == 0) {
        return fail(Errc::invalid_params, "total_slots: missing, so this is no model's server");
    }
    if (!got->default_generation_settings.n_ctx) {
        return fail(Errc::invalid_params, "default_generation_settings.n_ctx: missing");
    }
    return LlamaProps{
        .total_slots = *got->total_slots,
        .n_ctx = *got->default_generation_settings.n_ctx,
        .model_alias = std::move(got->model_alias),
        .model_path = std::move(got->model_path),
        .build_info = std::move(got->build_info),
        .is_sleeping = got->is_sleeping,
    };
}

Result<LlamaSlots> parse_llama_slots(std::string_view body) {
    const auto slots = read<std::vector<SlotBody>>(body);
    if (!slots) {
        return std::unexpected(slots.error());
    }
    return LlamaSlots{
        .total = static_cast<std::uint32_t>(slots->size()),
        .busy = static_cast<std::uint32_t>(std::ranges::count_if(*slots, &SlotBody::is_processing)),
        .cache_usage = cache_usage_of(*slots),
    };
}

std::optional<EngineError> parse_engine_error(std::string_view body) {
    const auto tree = json::parse(body);
    const json::bj::object* const object = tree ? error_object(*tree) : nullptr;
    if (object == nullptr) {
        return std::nullopt;
    }
    return EngineError{
        .code = static_cast<int>(std::min(count_at(*object, "code").value_or(0), 999U)),
        .type = text_at(*object, "type"),
        .message = text_at(*object, "message"),
        .n_prompt_tokens = count_at(*object, "n_prompt_tokens"),
        .n_ctx = count_at(*object, "n_ctx"),
    };
}

ErrorCause cause_of(int status, const EngineError& error) {
    if (error.type == "exceed_context_size_error") {
        return ErrorCause::context;
    }
    if (status == 501 || error.type == "not_supported_error") {
        return ErrorCause::unsupported;
    }
    if (status == 503 && error.message == "Loading model") {
        return ErrorCause::loading;
    }
    const bool clients = status >= 400 && status < 500;
    return clients || blames_request(error.message) ? ErrorCause::request : ErrorCause::engine;
}

}  // namespace orch::engine
