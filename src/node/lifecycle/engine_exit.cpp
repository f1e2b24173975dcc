#include "node/lifecycle/engine_exit.hpp"

#include "base/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace orch::node::lifecycle {
namespace {

struct Sign {
    std::string_view text;
    ExitReason reason;
};

// In this order: an engine that runs out of memory complains about CUDA and its model afterwards.
constexpr std::array<Sign, 10> kSigns{{
    {"bind HTTP server socket", ExitReason::port_lost},
    {"Address already in use", ExitReason::port_lost},
    {"out of memory", ExitReason::out_of_memory},
    {"failed to allocate", ExitReason::out_of_memory},
    {"std::bad_alloc", ExitReason::out_of_memory},
    {"CUDA error", ExitReason::cuda_error},
    {"failed to open model", ExitReason::model_error},
    {"error loading model", ExitReason::model_error},
    {"failed to load model", ExitReason::model_error},
    {"failed to open GGUF", ExitReason::model_error},
}};

constexpr std::size_t kLongestQuote = 300;

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    return first == std::string_view::npos
               ? std::string_view{}
               : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The line that holds the sign of `reason`, else the last one that says anything.
std::string_view telling_line(std::string_view log, ExitReason reason) {
    std::string_view last;
    while (!log.empty()) {
        const std::size_t end = std::min(log.find('\n'), log.size());
        const std::string_view line = trim(log.substr(0, end));
        log.remove_prefix(std::min(end + 1, log.size()));
        const bool tells = std::ranges::any_of(kSigns, [&](const Sign& sign) {
            return sign.reason == reason && line.find(sign.text) != std::string_view::npos;
        });
        if (tells) {
            return line;
        }
        last = line.empty() ? last : line;
    }
    return last;
}

// Engines log whatever a model or a prompt holds.
std::string quote(std::string_view line) {
    return to_valid_utf8(line.substr(0, whole_utf8_prefix(line.substr(0, kLongestQuote))));
}

std::string outcome(const EngineExit& exit) {
    if (!exit.known) {
        return "ended";
    }
    return exit.signal != 0 ? fmt::format("signal {}", exit.signal)
                            : fmt::format("exit code {}", exit.code);
}

}  // namespace

std::string_view to_string(ExitReason reason) {
    switch (reason) {
        case ExitReason::ended:
            return "ended";
        case ExitReason::killed:
            return "killed";
        case ExitReason::port_lost:
            return "port_lost";
        case ExitReason::out_of_memory:
            return "out_of_memory";
        case ExitReason::cuda_error:
            return "cuda_error";
        case ExitReason::model_error:
            return "model_error";
    }
    return "ended";
}

ExitReason classify_exit(const EngineExit& exit) {
    const auto sign = std::ranges::find_if(kSigns, [&](const Sign& candidate) {
        return exit.log_tail.find(candidate.text) != std::string::npos;
    });
    if (sign != kSigns.end()) {
        return sign->reason;
    }
    return exit.signal != 0 ? ExitReason::killed : ExitReason::ended;
}

std::string describe_exit(const EngineExit& exit) {
    const ExitReason reason = classify_exit(exit);
    const std::string line = quote(telling_line(exit.log_tail, reason));
    const bool specific = reason != ExitReason::ended && reason != ExitReason::killed;
    return fmt::format(
        "{}{}{}{}",
        outcome(exit),
        specific ? fmt::format(" ({})", to_string(reason)) : "",
        line.empty() ? "" : ": ",
        line
    );
}

}  // namespace orch::node::lifecycle
