#include "api/task_events.hpp"

#include "base/json.hpp"

namespace orch::api {

std::string to_json(const QueuedEvent& event) {
    return json::serialize(json::write(event, json::Nulls::write));
}

std::string to_json(const StartedEvent& event) {
    return json::encode(event);
}

std::string to_json(const TokenEvent& event) {
    return json::encode(event);
}

std::string to_json(const MetricsEvent& event) {
    return json::encode(event);
}

std::string to_json(const EndEvent& event) {
    return json::encode(event);
}

std::string error_event_json(const ErrorBody& error) {
    return json::serialize(json::write(error, json::Nulls::leave_out));
}

}  // namespace orch::api
