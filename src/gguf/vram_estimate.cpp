#include "gguf/vram_estimate.hpp"

#include "base/saturating.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace orch::gguf {
namespace {

// Values in a block of ggml's quantized types.
constexpr std::uint64_t kBlockValues = 32;

// Beside weights and cache an engine takes on each GPU: the CUDA context with its kernels (commonly
// 300 to 500 MiB), and the buffers of a micro-batch of 512 tokens, of which the logits are the
// largest part (297 MiB for a vocabulary of 152,000: 512 * 152,000 * 4 bytes). A round number above
// their sum, not measured: a load that is refused can be asked for again, one that runs out of
// memory ends in a crash loop.
constexpr Bytes kBesides = kGiB;

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 9> kCacheTypes{{
    {"f32", 128},
    {"f16", 64},
    {"bf16", 64},
    {"q8_0", 34},
    {"q5_1", 24},
    {"q5_0", 22},
    {"q4_1", 20},
    {"q4_0", 18},
    {"iq4_nl", 18},
}};

Bytes bytes_of(std::uint64_t values, std::uint64_t block) {
    const std::uint64_t rest = saturating_multiply(values % kBlockValues, block) / kBlockValues;
    return saturating_add(saturating_multiply(values / kBlockValues, block), rest);
}

// Floats of one head's key or value, where the file does not say.
std::optional<std::uint64_t> usual_head_length(const Header& header) {
    if (!header.embedding_length || header.head_count.value_or(0) == 0) {
        return std::nullopt;
    }
    return *header.embedding_length / *header.head_count;
}

// Of all layers, on whatever device.
Bytes cache_bytes(const Header& header, const EngineShape& shape) {
    const auto usual = usual_head_length(header);
    const auto heads = header.head_count_kv ? header.head_count_kv : header.head_count;
    const auto key = header.key_length ? header.key_length : usual;
    const auto value = header.value_length ? header.value_length : usual;
    if (!header.block_count || !heads || !key || !value) {
        return 0;
    }
    const std::uint64_t tokens = saturating_multiply(shape.ctx, shape.slots);
    const std::uint64_t cells =
        saturating_multiply(saturating_multiply(*header.block_count, tokens), *heads);
    return saturating_add(
        bytes_of(saturating_multiply(cells, *key), shape.key_block),
        bytes_of(saturating_multiply(cells, *value), shape.value_block)
    );
}

// What of `total` falls on `part` of `whole` layers, rounded up.
Bytes share_of(Bytes total, std::uint64_t part, std::uint64_t whole) {
    return part >= whole ? total : total / whole * part + std::min(total % whole, part);
}

}  // namespace

std::uint64_t cache_block_bytes(std::string_view type) {
    const auto found = std::ranges::find(kCacheTypes, type, [](const auto& t) { return t.first; });
    return found == kCacheTypes.end() ? kCacheTypes.front().second : found->second;
}

Bytes estimate_vram(const Header& header, const EngineShape& shape) {
    if (shape.gpus == 0) {
        return 0;
    }
    const Bytes whole = saturating_add(shape.file_bytes, cache_bytes(header, shape));
    const Bytes on_gpu = shape.gpu_layers && header.block_count
                             ? share_of(whole, *shape.gpu_layers, *header.block_count)
                             : whole;
    return saturating_add(on_gpu, saturating_multiply(kBesides, shape.gpus));
}

}  // namespace orch::gguf
