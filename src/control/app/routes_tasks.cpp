#include "api/json_fingerprint.hpp"
#include "api/task_events.hpp"
#include "control/app/routes.hpp"
#include "net/answer.hpp"
#include "net/percent.hpp"
#include "net/route_group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace orch::control::app {
namespace {

using tasks::TaskBackend;
using tasks::TaskId;

constexpr Bytes kBodyLimit = 16 * kMiB;
constexpr std::size_t kLongestKey = 255;
constexpr std::size_t kListed = 100;
constexpr std::size_t kMostListed = 1000;

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data(), end, number);
    return failure == std::errc{} && stopped == end && !text.empty() ? std::optional(number)
                                                                     : std::nullopt;
}

Result<std::optional<std::string>> idempotency_key(const net::Headers& headers) {
    const auto key = headers.find("Idempotency-Key");
    if (!key) {
        return std::nullopt;
    }
    const bool sound = !key->empty() && key->size() <= kLongestKey &&
                       std::ranges::all_of(*key, [](char c) { return c > ' ' && c < '\x7f'; });
    if (!sound) {
        return fail(
            Errc::invalid_params, "Idempotency-Key: must be 1 to 255 visible ASCII characters"
        );
    }
    return std::string(*key);
}

Result<tasks::Submission> read_submission(const net::Exchange& exchange) {
    auto message = api::from_json<api::TaskSubmit>(exchange.body());
    if (!message) {
        return std::unexpected(message.error());
    }
    auto fingerprint = api::json_fingerprint(exchange.body());
    auto key = idempotency_key(exchange.head().headers);
    if (!key || !fingerprint) {
        return std::unexpected(key ? fingerprint.error() : key.error());
    }
    tasks::Submission submission;
    if (message->task_id) {
        submission.id = TaskId(*message->task_id);
    }
    submission.key = std::move(*key);
    submission.fingerprint = std::move(*fingerprint);
    submission.identity = exchange.identity();
    submission.correlation = exchange.correlation();
    submission.traceparent = exchange.traceparent();
    submission.order = tasks::make_order(*message);
    return submission;
}

Task<void> submit(RouteContext& context, net::Exchange& exchange) {
    auto submission = read_submission(exchange);
    if (!submission) {
        context.tasks.count_rejected(submission.error().code);
        co_await exchange.respond_error(submission.error());
        co_return;
    }
    auto accepted = co_await async::call_on(context.control, [&] {
        return context.tasks.submit(std::move(*submission));
    });
    if (!accepted) {
        tasks::Refusal& refusal = accepted.error();
        co_await exchange.respond_error(
            std::move(refusal.error), std::move(refusal.details), api::kDefaultBackoff
        );
        co_return;
    }
    net::Response response = net::json_response(202, std::move(*accepted));
    co_await exchange.respond(std::move(response));
}

Task<void> preview(RouteContext& context, net::Exchange& exchange) {
    const auto message = api::from_json<api::TaskSubmit>(exchange.body());
    if (!message) {
        co_await exchange.respond_error(message.error());
        co_return;
    }
    const tasks::TaskOrder order = tasks::make_order(*message);
    const api::TaskPreview preview =
        co_await async::call_on(context.control, [&] { return context.tasks.preview(order); });
    net::Response response = net::json_response(200, api::to_json(preview));
    co_await exchange.respond(std::move(response));
}

struct ListQuery {
    std::optional<tasks::TaskState> state;
    std::size_t limit = kListed;
};

Result<ListQuery> read_query(std::string_view query) {
    ListQuery read;
    if (const auto state = net::query_value(query, "state")) {
        read.state = tasks::task_state_from(*state);
        if (!read.state) {
            return fail(
                Errc::invalid_params, "state: must be queued, running, done, failed or canceled"
            );
        }
    }
    if (const auto limit = net::query_value(query, "limit")) {
        const auto number = number_of(*limit);
        if (!number || *number == 0 || *number > kMostListed) {
            return fail(
                Errc::invalid_params, fmt::format("limit: must be from 1 to {}", kMostListed)
            );
        }
        read.limit = *number;
    }
    return read;
}

Task<void> list_tasks(RouteContext& context, net::Exchange& exchange) {
    const auto query = read_query(exchange.head().query());
    if (!query) {
        co_await exchange.respond_error(query.error());
        co_return;
    }
    const auto list = co_await async::call_on(context.control, [&] {
        return context.tasks.list(query->state, query->limit);
    });
    net::Response response = net::json_response(200, api::to_json(list));
    co_await exchange.respond(std::move(response));
}

Task<void> get_task(RouteContext& context, net::Exchange& exchange) {
    const TaskId id(exchange.param("id"));
    auto task = co_await async::call_on(context.control, [&] { return context.tasks.get(id); });
    co_await net::answer(exchange, 200, std::move(task));
}

Task<void> cancel_task(RouteContext& context, net::Exchange& exchange) {
    const TaskId id(exchange.param("id"));
    auto done = co_await async::call_on(context.control, [&] { return context.tasks.cancel(id); });
    co_await net::answer_done(exchange, std::move(done));
}

Result<tasks::WatchPlace> read_place(const net::Exchange& exchange) {
    tasks::WatchPlace place;
    place.task = TaskId(exchange.param("id"));
    place.verbose = net::query_value(exchange.head().query(), "verbose") == "true";
    if (const auto last = exchange.head().headers.find("Last-Event-ID")) {
        const auto number = number_of(*last);
        if (!number) {
            return fail(Errc::invalid_params, "Last-Event-ID: must be the id of an event");
        }
        place.after = *number;
    }
    return place;
}

Task<tasks::WatchPage> next_page(
    RouteContext& context, net::Exchange& exchange, tasks::WatchPlace place
) {
    TaskBackend::Watch watch =
        context.tasks.watch(exchange.edge().loop().executor(), std::move(place));
    exchange.on_client_gone([&context, watch] { context.tasks.leave(watch); });
    tasks::WatchPage page = co_await watch.page.wait();
    exchange.on_client_gone(nullptr);
    co_return page;
}

Error events_gone(std::uint64_t after) {
    return {
        Errc::not_found,
        fmt::format("the event after number {} is no longer kept: read the task itself", after),
        {}
    };
}

// Only about this stream: the task goes on.
std::string gone_event(const net::Exchange& exchange, std::uint64_t after) {
    const api::ErrorBody body = api::make_error_body(events_gone(after), exchange.correlation());
    return fmt::format("event: error\ndata: {}\n\n", api::error_event_json(body));
}

Task<void> stream_pages(
    RouteContext& context, net::Exchange& exchange, tasks::WatchPlace place, tasks::WatchPage page
) {
    net::Headers headers;
    headers.add("Content-Type", "text/event-stream");
    headers.add("Cache-Control", "no-cache");
    bool sent = co_await exchange.begin(200, std::move(headers), std::nullopt);
    while (sent) {
        std::string bytes = page.bytes.empty() && !page.over ? ":\n\n" : std::move(page.bytes);
        if (page.gone) {
            bytes = gone_event(exchange, place.after);
        }
        sent = co_await exchange.write(bytes);
        if (page.over || !sent) {
            break;
        }
        place.after = page.last;
        page = co_await next_page(context, exchange, place);
    }
    co_await exchange.end();
}

Task<void> stream_events(RouteContext& context, net::Exchange& exchange) {
    auto place = read_place(exchange);
    auto task = Result<api::TaskView>();
    if (place) {
        const TaskId id = place->task;
        task = co_await async::call_on(context.control, [&] { return context.tasks.get(id); });
    }
    if (!place || !task) {
        co_await exchange.respond_error(place ? task.error() : place.error());
        co_return;
    }
    tasks::WatchPage page = co_await next_page(context, exchange, *place);
    if (exchange.client_gone()) {
        co_return;
    }
    if (page.gone) {
        co_await exchange.respond_error(events_gone(place->after));
        co_return;
    }
    co_await stream_pages(context, exchange, std::move(*place), std::move(page));
}

constexpr const char* kOrder =
    R"({"model":"qwen3-8b","prompt":"Once upon a time","max_tokens":64})";

}  // namespace

void add_task_routes(net::RouteTable& routes, RouteContext& context) {
    net::RouteGroup group(routes, context, auth::AuthClass::client, kBodyLimit);
    group.post(
        "/v2/tasks", "Hand in a task; it starts when a slot is free", submit, {.example = kOrder}
    );
    group.get("/v2/tasks", "Tasks, newest first", list_tasks);
    group.post(
        "/v2/tasks/preview", "Where a task would go now, and why", preview, {.example = kOrder}
    );
    group.get("/v2/tasks/{id}", "One task with its output so far", get_task);
    group.get("/v2/tasks/{id}/events", "Its events as they happen", stream_events);
    group.post("/v2/tasks/{id}/cancel", "End a task, whatever it does", cancel_task);
}

}  // namespace orch::control::app
