#include "base/log.hpp"

#include "base/log_line.hpp"

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace orch {
namespace {

constexpr std::array<std::string_view, 5> kLevels{"trace", "debug", "info", "warn", "error"};

class StderrOutput final : public LogOutput {
public:
    StderrOutput() {
        using spdlog::pattern_formatter;
        using spdlog::pattern_time_type;
        sink_.set_formatter(
            std::make_unique<pattern_formatter>("%v", pattern_time_type::local, std::string{})
        );
    }

    void write(std::string_view line) override {
        const spdlog::string_view_t text(line.data(), line.size());
        sink_.log(spdlog::details::log_msg({}, spdlog::level::info, text));
    }

private:
    spdlog::sinks::stderr_sink_mt sink_;
};

}  // namespace

std::string_view to_string(LogLevel level) {
    return kLevels[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> log_level_from(std::string_view text) {
    for (std::size_t i = 0; i < kLevels.size(); ++i) {
        if (kLevels[i] == text) {
            return static_cast<LogLevel>(i);
        }
    }
    return std::nullopt;
}

std::string_view to_string(LogFormat format) {
    return format == LogFormat::json ? "json" : "text";
}

std::optional<LogFormat> log_format_from(std::string_view text) {
    if (text == "json") {
        return LogFormat::json;
    }
    return text == "text" ? std::optional(LogFormat::text) : std::nullopt;
}

LogFormat default_log_format() {
    return isatty(STDERR_FILENO) == 1 ? LogFormat::text : LogFormat::json;
}

std::unique_ptr<LogOutput> make_stderr_output() {
    return std::make_unique<StderrOutput>();
}

LogSink::LogSink(LogConfig config, const Clock& clock, LogOutput& output)
    : node_id_(std::move(config.node_id)),
      machine_id_(std::move(config.machine_id)),
      clock_(clock),
      output_(output),
      level_(config.level),
      format_(config.format) {}

struct Logger::Names {
    std::string logger;
    std::string correlation_id;
    std::string trace_id;
};

Logger::Logger(LogSink& sink, std::string name)
    : Logger(sink, std::make_shared<const Names>(Names{std::move(name), {}, {}})) {}

Logger::Logger(LogSink& sink, std::shared_ptr<const Names> names)
    : sink_(&sink), names_(std::move(names)) {}

Logger Logger::for_request(const CorrelationId& correlation, std::string trace_id) const {
    Names names{names_->logger, correlation.value, std::move(trace_id)};
    return {*sink_, std::make_shared<const Names>(std::move(names))};
}

void Logger::write(LogLevel level, std::string_view sentence, std::span<const LogField> fields)
    const {
    if (!at(level)) {
        return;
    }
    const LogRecord record{
        .time = sink_->clock_.wall(),
        .level = level,
        .logger = names_->logger,
        .message = sentence,
        .correlation_id = names_->correlation_id,
        .trace_id = names_->trace_id,
        .node_id = sink_->node_id_,
        .machine_id = sink_->machine_id_,
        .fields = fields,
    };
    const LogFormat format = sink_->format_.load(std::memory_order_relaxed);
    sink_->output_.write(format_log_line(format, record));
}

void Logger::trace(std::string_view sentence, LogFields fields) const {
    write(LogLevel::trace, sentence, fields);
}

void Logger::debug(std::string_view sentence, LogFields fields) const {
    write(LogLevel::debug, sentence, fields);
}

void Logger::info(std::string_view sentence, LogFields fields) const {
    write(LogLevel::info, sentence, fields);
}

void Logger::warn(std::string_view sentence, LogFields fields) const {
    write(LogLevel::warn, sentence, fields);
}

void Logger::error(std::string_view sentence, LogFields fields) const {
    write(LogLevel::error, sentence, fields);
}

}  // namespace orch
