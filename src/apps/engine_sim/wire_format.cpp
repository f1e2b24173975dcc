#include "apps/engine_sim/wire_format.hpp"

#include "net/http_message.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace orch::engine_sim {
namespace {

constexpr std::string_view kFingerprint = "b1-de3ff81";
constexpr std::string_view kKeepAlive = "Keep-Alive: timeout=5, max=100\r\n";
constexpr std::string_view kClose = "Connection: close\r\n";

// Of /props and of each slot that was used; constant, because nothing here samples.
constexpr std::string_view kSamplingParams =
    R"({"seed":4294967295,"temperature":0.800000011920929,"dynatemp_range":0.0,)"
    R"("dynatemp_exponent":1.0,"top_k":40,"top_p":0.949999988079071,"min_p":0.05000000074505806,)"
    R"("top_n_sigma":-1.0,"xtc_probability":0.0,"xtc_threshold":0.10000000149011612,)"
    R"("typical_p":1.0,"repeat_last_n":64,"repeat_penalty":1.0,"presence_penalty":0.0,)"
    R"("frequency_penalty":0.0,"dry_multiplier":0.0,"dry_base":1.75,"dry_allowed_length":2,)"
    R"("dry_penalty_last_n":64,"mirostat":0,"mirostat_tau":5.0,"mirostat_eta":0.10000000149011612,)"
    R"("adaptive_target":-1.0,"adaptive_decay":0.8999999761581421,"max_tokens":-1,"n_predict":-1,)"
    R"("n_keep":0,"n_discard":0,"ignore_eos":false,"stream":false,"n_probs":0,"min_keep":0,)"
    R"("chat_format":"Content-only","reasoning_format":"none","reasoning_in_content":false,)"
    R"("generation_prompt":"","samplers":["penalties","dry","top_n_sigma","top_k","typ_p","top_p",)"
    R"("min_p","xtc","temperature"],"speculative.types":"none","timings_per_token":false,)"
    R"("post_sampling_probs":false,"backend_sampling":false,"lora":[]})";

constexpr std::string_view kChatTemplate =
    R"({% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' )"
    R"(+ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }})"
    R"({% endif %})";

constexpr std::string_view kPropsTail =
    R"("chat_template_caps":{"supports_object_arguments":false,)"
    R"("supports_parallel_tool_calls":false,"supports_preserve_reasoning":false,)"
    R"("supports_reasoning_effort":false,"supports_string_content":true,)"
    R"("supports_system_role":true,"supports_tool_calls":false,"supports_tools":false,)"
    R"("supports_typed_content":false},"bos_token":"<s>","eos_token":"</s>",)";

std::string json_text(std::string_view text) {
    return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

std::string first_lines(int status, const HeadTraits& traits) {
    return fmt::format(
        "HTTP/1.1 {} {}\r\nServer: llama.cpp\r\nAccess-Control-Allow-Origin: {}\r\n",
        status,
        net::reason_phrase(status),
        traits.origin
    );
}

double per(double numerator, double denominator) {
    return denominator > 0 ? numerator / denominator : 0.0;
}

std::string timings_json(const Timings& t) {
    return fmt::format(
        R"({{"cache_n":0,"prompt_n":{},"prompt_ms":{},"prompt_per_token_ms":{},)"
        R"("prompt_per_second":{},"predicted_n":{},"predicted_ms":{},"predicted_per_token_ms":{},)"
        R"("predicted_per_second":{}}})",
        t.prompt_n,
        t.prompt_ms,
        per(t.prompt_ms, t.prompt_n),
        per(1000.0 * t.prompt_n, t.prompt_ms),
        t.predicted_n,
        t.predicted_ms,
        per(t.predicted_ms, t.predicted_n),
        per(1000.0 * t.predicted_n, t.predicted_ms)
    );
}

std::string usage_json(const Timings& t) {
    return fmt::format(
        R"({{"completion_tokens":{},"prompt_tokens":{},"total_tokens":{},)"
        R"("prompt_tokens_details":{{"cached_tokens":0}}}})",
        t.predicted_n,
        t.prompt_n,
        t.predicted_n + t.prompt_n
    );
}

// Everything of a chat event behind its choices, without the closing brace.
std::string chat_event(const AnswerFrame& frame, std::string_view choices) {
    return fmt::format(
        R"({{"choices":[{}],"created":{},"id":"{}","model":{},"system_fingerprint":"{}",)"
        R"("object":"chat.completion.chunk")",
        choices,
        frame.created,
        frame.id,
        json_text(frame.model),
        kFingerprint
    );
}

std::string delta_event(const AnswerFrame& frame, std::string_view delta) {
    return as_event(
        chat_event(
            frame, fmt::format(R"({{"finish_reason":null,"index":0,"delta":{{{}}}}})", delta)
        ) +
        "}"
    );
}

// One event of a text stream; `reason` and `more` are JSON.
std::string text_completion(
    const AnswerFrame& frame,
    std::string_view text,
    std::string_view reason,
    std::string_view usage,
    std::string_view timings
) {
    return fmt::format(
        R"({{"choices":[{{"text":{},"index":0,"logprobs":null,"finish_reason":{}}}],"created":{},)"
        R"("model":{},"system_fingerprint":"{}","object":"text_completion"{},"id":"{}"{}}})",
        json_text(text),
        reason,
        frame.created,
        json_text(frame.model),
        kFingerprint,
        usage,
        frame.id,
        timings
    );
}

std::string slot_json(std::size_t id, std::uint32_t n_ctx, const SlotRecord& slot) {
    std::string text = fmt::format(
        R"({{"id":{},"n_ctx":{},"speculative":false,"is_processing":{})", id, n_ctx, slot.busy
    );
    if (slot.used) {
        text += fmt::format(
            R"(,"id_task":{},"n_prompt_tokens":{},"n_prompt_tokens_processed":{},)"
            R"("n_prompt_tokens_cache":0,"params":{},"next_token":[{{"has_next_token":{},)"
            R"("has_new_line":false,"n_remain":{},"n_decoded":{}}}])",
            slot.task,
            slot.busy ? slot.prompt_tokens + slot.decoded : 0,
            slot.busy ? slot.prompt_tokens : 0,
            kSamplingParams,
            slot.busy,
            slot.left,
            slot.decoded
        );
    }
    return text + "}";
}

}  // namespace

std::string json_head(int status, std::size_t length, const HeadTraits& traits) {
    return fmt::format(
        "{}Content-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\n{}{}\r\n",
        first_lines(status, traits),
        length,
        status >= 400 || traits.close ? kClose : kKeepAlive,
        traits.head ? "Accept-Ranges: bytes\r\n" : ""
    );
}

std::string stream_head(const HeadTraits& traits) {
    return fmt::format(
        "{}X-Accel-Buffering: no\r\nContent-Type: text/event-stream\r\n"
        "Transfer-Encoding: chunked\r\n{}\r\n",
        first_lines(200, traits),
        traits.close ? kClose : kKeepAlive
    );
}

std::string preflight_answer(const HeadTraits& traits) {
    return fmt::format(
        "{}Access-Control-Allow-Credentials: true\r\n"
        "Access-Control-Allow-Methods: GET, POST, DELETE, OPTIONS\r\n"
        "Access-Control-Allow-Headers: *\r\nContent-Type: text/html\r\n{}Content-Length: 0\r\n\r\n",
        first_lines(200, traits),
        traits.close ? kClose : kKeepAlive
    );
}

std::string as_chunk(std::string_view bytes) {
    return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}

std::string as_event(std::string_view json) {
    return fmt::format("data: {}\n\n", json);
}

std::string error_json(const Refusal& refusal) {
    std::string sizes;
    if (refusal.n_prompt_tokens && refusal.n_ctx) {
        sizes = fmt::format(
            R"(,"n_prompt_tokens":{},"n_ctx":{})", *refusal.n_prompt_tokens, *refusal.n_ctx
        );
    }
    return fmt::format(
        R"({{"error":{{"code":{},"message":{},"type":"{}"{}}}}})",
        refusal.status,
        json_text(refusal.message),
        refusal.type,
        sizes
    );
}

std::string routing_error_json(const Refusal& refusal) {
    return fmt::format(
        R"({{"error":{{"message":{},"type":"{}","code":{}}}}})",
        json_text(refusal.message),
        refusal.type,
        refusal.status
    );
}

std::string props_json(const SimOptions& options) {
    return fmt::format(
        R"({{"default_generation_settings":{{"params":{},"n_ctx":{}}},"total_slots":{},)"
        R"("model_alias":{},"model_ftype":"F16","model_path":{},)"
        R"("modalities":{{"vision":false,"video":false,"audio":false}},)"
        R"("media_marker":"<__media__>","endpoint_slots":{},"endpoint_props":{},)"
        R"("endpoint_metrics":false,"ui":true,"ui_settings":{{}},"chat_template":{},)"
        R"({}"build_info":"{}","is_sleeping":false,"cors_proxy_enabled":false}})",
        kSamplingParams,
        options.ctx_per_slot(),
        options.slots,
        json_text(options.alias),
        json_text(options.model),
        options.slots_endpoint,
        options.props_writable,
        json_text(kChatTemplate),
        kPropsTail,
        kFingerprint
    );
}

std::string slots_json(const SimOptions& options, const SlotQueue& queue) {
    std::string text = "[";
    for (std::size_t i = 0; i < queue.slots().size(); ++i) {
        text += i == 0 ? "" : ",";
        text += slot_json(i, options.ctx_per_slot(), queue.slots()[i]);
    }
    return text + "]";
}

std::string models_json(const SimOptions& options, std::int64_t created) {
    return fmt::format(
        R"({{"models":[{{"name":{0},"model":{0},"modified_at":"","size":"","digest":"",)"
        R"("type":"model","description":"","tags":[""],"capabilities":["completion"],)"
        R"("parameters":"","details":{{"parent_model":"","format":"gguf","family":"",)"
        R"("families":[""],"parameter_size":"","quantization_level":""}}}}],"object":"list",)"
        R"("data":[{{"id":{0},"aliases":[{0}],"tags":[],"object":"model","created":{1},)"
        R"("owned_by":"llamacpp","meta":{{"vocab_type":1,"n_vocab":512,"n_ctx":{2},)"
        R"("n_ctx_train":8192,"n_embd":128,"n_params":426624,"size":854528,"ftype":"F16"}}}}]}})",
        json_text(options.alias),
        created,
        options.ctx_per_slot()
    );
}

std::string template_json(const SimRequest& request) {
    return fmt::format(R"({{"prompt":{}}})", json_text(request.prompt));
}

std::string input_tokens_json(const SimRequest& request) {
    return fmt::format(
        R"({{"input_tokens":{},"object":"response.input_tokens"}})", request.prompt_tokens
    );
}

std::string tokens_json(const std::vector<Vocabulary::Token>& tokens) {
    std::string list;
    for (const Vocabulary::Token& token : tokens) {
        list += fmt::format(
            R"({}{{"id":{},"piece":{}}})", list.empty() ? "" : ",", token.id, json_text(token.piece)
        );
    }
    return fmt::format(R"({{"tokens":[{}]}})", list);
}

std::string raw_event(std::string_view text, std::uint32_t token, const Timings& so_far) {
    return as_event(fmt::format(
        R"({{"index":0,"content":{},"tokens":[{}],"stop":false,"id_slot":-1,)"
        R"("tokens_predicted":{},"tokens_evaluated":{}}})",
        json_text(text),
        token,
        so_far.predicted_n,
        so_far.prompt_n
    ));
}

std::string raw_json(
    const AnswerFrame& frame, std::string_view text, std::string_view reason, const Timings& timings
) {
    return fmt::format(
        R"({{"index":0,"content":{},"tokens":[],"id_slot":0,"stop":true,"model":{},)"
        R"("tokens_predicted":{},"tokens_evaluated":{},"generation_settings":{},"prompt":"",)"
        R"("has_new_line":false,"truncated":false,"stop_type":"{}","stopping_word":"",)"
        R"("tokens_cached":{},"timings":{}}})",
        json_text(text),
        json_text(frame.model),
        timings.predicted_n,
        timings.prompt_n,
        kSamplingParams,
        reason == "length" ? "limit" : "eos",
        timings.prompt_n + timings.predicted_n - 1,
        timings_json(timings)
    );
}

std::string role_event(const AnswerFrame& frame) {
    return delta_event(frame, R"("role":"assistant","content":null)");
}

std::string text_event(const AnswerFrame& frame, std::string_view text) {
    if (frame.shape == AnswerShape::text) {
        return as_event(text_completion(frame, text, "null", "", ""));
    }
    return delta_event(frame, fmt::format(R"("content":{})", json_text(text)));
}

std::string finish_events(
    const AnswerFrame& frame, std::string_view reason, bool include_usage, const Timings& timings
) {
    const std::string usage = R"(,"usage":)" + usage_json(timings);
    const std::string timing = R"(,"timings":)" + timings_json(timings);
    const std::string quoted_reason = json_text(reason);
    if (frame.shape == AnswerShape::text) {
        return as_event(text_completion(frame, "", quoted_reason, usage, timing));
    }
    const std::string last = chat_event(
        frame, fmt::format(R"({{"finish_reason":{},"index":0,"delta":{{}}}})", quoted_reason)
    );
    if (!include_usage) {
        return as_event(last + timing + "}");
    }
    return as_event(last + "}") + as_event(chat_event(frame, "") + usage + timing + "}");
}

std::string whole_json(
    const AnswerFrame& frame, std::string_view text, std::string_view reason, const Timings& timings
) {
    const std::string quoted_reason = json_text(reason);
    if (frame.shape == AnswerShape::text) {
        return text_completion(
            frame,
            text,
            quoted_reason,
            R"(,"usage":)" + usage_json(timings),
            R"(,"timings":)" + timings_json(timings)
        );
    }
    return fmt::format(
        R"({{"choices":[{{"finish_reason":{},"index":0,"message":{{"role":"assistant",)"
        R"("content":{}}}}}],"created":{},"model":{},"system_fingerprint":"{}",)"
        R"("object":"chat.completion","usage":{},"id":"{}","timings":{}}})",
        quoted_reason,
        json_text(text),
        frame.created,
        json_text(frame.model),
        kFingerprint,
        usage_json(timings),
        frame.id,
        timings_json(timings)
    );
}

}  // namespace orch::engine_sim
