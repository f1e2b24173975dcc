#include "node/inventory/nvidia_smi.hpp"

#include "base/text.hpp"
#include "base/utf8.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>

namespace orch::node::inventory {
namespace {

constexpr std::size_t kFields = 8;
constexpr std::size_t kLongestQuote = 200;

std::string quote(std::string_view line) {
    return to_valid_utf8(line.substr(0, kLongestQuote));
}

template <class T>
std::optional<T> number(std::string_view text) {
    T value{};
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc{} && stop == text.data() + text.size() && !text.empty();
    return whole ? std::optional(value) : std::nullopt;
}

bool is_unsupported(std::string_view field) {
    return field.starts_with('[');
}

// MiB; what the driver does not say counts as 0.
std::optional<Bytes> memory(std::string_view field) {
    if (is_unsupported(field)) {
        return Bytes{0};
    }
    const auto mebibytes = number<std::uint64_t>(field);
    const bool fits = mebibytes && *mebibytes <= std::numeric_limits<Bytes>::max() / kMiB;
    return fits ? std::optional(*mebibytes * kMiB) : std::nullopt;
}

// A GPU's name is the only field that might hold a comma.
std::string join_name(std::span<const std::string_view> parts) {
    return to_valid_utf8(fmt::format("{}", fmt::join(parts, ", ")));
}

std::optional<Gpu> parse_line(std::string_view line) {
    const std::vector<std::string_view> fields = split(line, ',');
    if (fields.size() < kFields) {
        return std::nullopt;
    }
    const std::span<const std::string_view> all(fields);
    const auto tail = all.last(5);
    const auto index = number<std::uint32_t>(all[0]);
    const auto total = memory(tail[0]);
    const auto used = memory(tail[1]);
    if (!index || !all[1].starts_with("GPU-") || !total || !used) {
        return std::nullopt;
    }
    Gpu gpu;
    gpu.index = *index;
    gpu.uuid = to_valid_utf8(all[1]);
    gpu.name = join_name(all.subspan(2, fields.size() - 7));
    gpu.vram_total = *total;
    gpu.vram_used = *used;
    if (const auto percent = number<double>(tail[2])) {
        gpu.utilization = std::clamp(*percent / 100, 0.0, 1.0);
    }
    gpu.temperature_c = number<double>(tail[3]);
    gpu.compute_capability = is_unsupported(tail[4]) ? std::string{} : to_valid_utf8(tail[4]);
    return gpu;
}

// nvidia-smi writes its complaints where its answers belong.
bool is_complaint(std::string_view line) {
    return line.starts_with("NVIDIA-SMI has failed") || line.starts_with("Failed to") ||
           line.starts_with("Unable to") || line.starts_with("Field ");
}

}  // namespace

std::vector<std::string> nvidia_smi_arguments() {
    return {
        "--query-gpu=index,uuid,name,memory.total,memory.used,utilization.gpu,temperature.gpu,"
        "compute_cap",
        "--format=csv,noheader,nounits"
    };
}

Result<GpuReading> parse_nvidia_smi(std::string_view output) {
    GpuReading reading;
    for (const std::string_view whole_line : lines_of(output)) {
        const std::string_view line = trimmed(whole_line);
        if (line.empty() || line.starts_with("No devices were found")) {
            continue;
        }
        if (is_complaint(line)) {
            return fail(Errc::internal, fmt::format("nvidia-smi: {}", quote(line)));
        }
        if (auto gpu = parse_line(line)) {
            reading.gpus.push_back(std::move(*gpu));
        } else {
            reading.problems.push_back(fmt::format("nvidia-smi wrote '{}'", quote(line)));
        }
    }
    std::ranges::sort(reading.gpus, {}, &Gpu::index);
    return reading;
}

}  // namespace orch::node::inventory
