#pragma once

#include "base/clock.hpp"
#include "base/strong_id.hpp"

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

// Logs: one line per event, JSON or text. INFO tells changes of cluster state, DEBUG decisions with
// their inputs, WARN what is degraded but handled, ERROR what somebody must look at.
//
// App owns one LogSink; everybody else holds a Logger by value. Any thread may log: a line is
// written in one piece. Nothing is global.
namespace orch {

enum class LogLevel { trace, debug, info, warn, error };
enum class LogFormat { json, text };

std::string_view to_string(LogLevel level);
std::optional<LogLevel> log_level_from(std::string_view text);
std::string_view to_string(LogFormat format);
std::optional<LogFormat> log_format_from(std::string_view text);

// `text` when standard error is a terminal, else `json`.
LogFormat default_log_format();

// One key=value of a line. Refers to the caller's text: lives no longer than the logging call.
struct LogField {
    using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

    std::string_view name;
    Value value;

    template <std::convertible_to<std::string_view> Text>
    LogField(std::string_view key, const Text& text) : name(key), value(std::string_view(text)) {}

    template <class Tag>
    LogField(std::string_view key, const StrongId<Tag>& id)
        : name(key), value(std::string_view(id.value)) {}

    LogField(std::string_view key, bool flag) : name(key), value(flag) {}

    LogField(std::string_view key, std::floating_point auto number)
        : name(key), value(static_cast<double>(number)) {}

    template <std::integral T>
        requires(!std::same_as<T, bool>)
    LogField(std::string_view key, T number) : name(key) {
        if constexpr (std::is_signed_v<T>) {
            value = static_cast<std::int64_t>(number);
        } else {
            value = static_cast<std::uint64_t>(number);
        }
    }
};

using LogFields = std::initializer_list<LogField>;

// Where finished lines go. write() gets one line with its newline; any thread calls it.
class LogOutput {
public:
    LogOutput() = default;
    virtual ~LogOutput() = default;
    LogOutput(const LogOutput&) = delete;
    LogOutput& operator=(const LogOutput&) = delete;

    virtual void write(std::string_view line) = 0;
};

// Standard error, one write per line.
std::unique_ptr<LogOutput> make_stderr_output();

struct LogConfig {
    LogLevel level = LogLevel::info;  // lines below it are dropped
    LogFormat format = LogFormat::json;
    std::string node_id;     // on every line when not empty
    std::string machine_id;  // on every line when not empty
};

// The end of all log lines of a process. Outlives every Logger made from it; so must the clock and
// the output. Level and format may be changed while others log.
class LogSink {
public:
    LogSink(LogConfig config, const Clock& clock, LogOutput& output);

    bool at(LogLevel level) const { return level >= level_.load(std::memory_order_relaxed); }

    LogLevel level() const { return level_.load(std::memory_order_relaxed); }

    void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }

    void set_format(LogFormat format) { format_.store(format, std::memory_order_relaxed); }

private:
    friend class Logger;

    const std::string node_id_;
    const std::string machine_id_;
    const Clock& clock_;
    LogOutput& output_;
    std::atomic<LogLevel> level_;
    std::atomic<LogFormat> format_;
};

// A component's handle on the sink. Copying costs one reference count.
//
//   log.info("the pool is bound to its engine", {{"pool", pool}, {"url", url}, {"pid", 12}});
class Logger {
public:
    Logger(LogSink& sink, std::string name);

    // The same component on behalf of one request.
    Logger for_request(const CorrelationId& correlation, std::string trace_id) const;

    // Check before work that is done for the log alone; the calls below check by themselves.
    bool at(LogLevel level) const { return sink_->at(level); }

    void trace(std::string_view sentence, LogFields fields = {}) const;
    void debug(std::string_view sentence, LogFields fields = {}) const;
    void info(std::string_view sentence, LogFields fields = {}) const;
    void warn(std::string_view sentence, LogFields fields = {}) const;
    void error(std::string_view sentence, LogFields fields = {}) const;
    void write(LogLevel level, std::string_view sentence, std::span<const LogField> fields) const;

private:
    struct Names;

    Logger(LogSink& sink, std::shared_ptr<const Names> names);

    LogSink* sink_;
    std::shared_ptr<const Names> names_;
};

}  // namespace orch
