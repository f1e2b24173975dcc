#pragma once

#include "base/enums.hpp"
#include "engine/llamacpp.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace orch::engine {

// Which engine is expected behind a URL. Empty texts fit any engine: one that somebody else
// started may serve what it likes.
struct ProbeTarget {
    EngineFamily family = EngineFamily::llamacpp;
    std::string model_path;
    std::string alias;
};

enum class ProbeVerdict {
    undecided,    // another path is to be asked
    ready,        // serves the model that was asked for
    loading,      // the right kind of engine, its model is not there yet
    other_model,  // an engine, but not ours: it took the port, or was started with another model
    failing,      // no engine, or one that does not work
};

// One readiness check, without I/O. One thread.
//
//     ReadinessProbe probe(target);
//     while (const auto path = probe.next_path()) {
//         ... GET it, then probe.answered(status, body) or probe.unanswered(reason)
//     }
//     probe.verdict(), probe.reason(), probe.props()
//
// llamacpp: /health is 200 and /props names the model by its path or by its alias.
// Others:   GET /v1/models is 2xx, else the family's health path is 2xx.
class ReadinessProbe {
public:
    explicit ReadinessProbe(ProbeTarget target);

    // The path to GET; nothing once the verdict is final.
    std::optional<std::string_view> next_path() const;

    void answered(int status, std::string_view body);

    // No connection, or no answer in time.
    void unanswered(std::string reason);

    ProbeVerdict verdict() const { return verdict_; }

    // Why it is not ready; names the path.
    const std::string& reason() const { return reason_; }

    // What a llamacpp engine told about itself; there when its verdict is ready or other_model.
    const std::optional<LlamaProps>& props() const { return props_; }

private:
    void judge_health(int status, std::string_view body);
    void judge_props(int status, std::string_view body);
    void judge_listing(int status);
    void conclude(ProbeVerdict verdict, std::string reason);

    ProbeTarget target_;
    bool second_ = false;  // the first path is done with
    ProbeVerdict verdict_ = ProbeVerdict::undecided;
    std::string reason_;
    std::optional<LlamaProps> props_;
};

}  // namespace orch::engine
