#pragma once

#include "base/log.hpp"

#include <span>
#include <string>
#include <string_view>

namespace orch {

// Everything one log line says. Empty names are left out of the line.
struct LogRecord {
    WallTime time;
    LogLevel level = LogLevel::info;
    std::string_view logger;
    std::string_view message;
    std::string_view correlation_id;
    std::string_view trace_id;
    std::string_view node_id;
    std::string_view machine_id;
    std::span<const LogField> fields;
};

// The line with its newline, and no other newline in it. Pure.
// JSON: keys ts, level, logger, msg, the ids, then the fields; bytes that are not UTF-8 become
// U+FFFD, numbers that JSON cannot say become text. A field that takes the name of a key which the
// line has already is written as `<name>_`, so that no line has a key twice because of it; a line
// without a node of its own may so name the node that it speaks of.
// Text: time, level, logger, sentence, then key=value.
std::string format_log_line(LogFormat format, const LogRecord& record);

}  // namespace orch
