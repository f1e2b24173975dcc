#include "apps/llorch/commands.hpp"
#include "apps/llorch/error_text.hpp"
#include "apps/llorch/model_view.hpp"
#include "apps/llorch/printable.hpp"
#include "engine/sse.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace orch::llorch {
namespace {

constexpr const char* kModels = "/v2/catalog/models";

// An id in a path: what could not be one is refused by the server, and leads nowhere else.
std::string segment(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == ',';
        if (plain) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

template <class Message, class Text>
ExitCode print(ApiClient& client, const std::string& path, bool json, Text text, Console& console) {
    const Format format = [&](const std::string& body) -> Result<std::string> {
        const auto message = api::from_json<Message>(body);
        return message ? Result<std::string>(text(*message, console.style))
                       : std::unexpected(message.error());
    };
    return print_get(client, path, json, format, console);
}

// Reads the events of an operation and shows how far it is where somebody looks.
class OperationWatch {
public:
    explicit OperationWatch(Console& console, bool quiet) : console_(console), quiet_(quiet) {}

    void take(std::string_view piece) {
        engine::EventReader reader(events_.feed(piece));
        while (const auto event = reader.next()) {
            last_ = std::string(event->data);
            const auto operation = api::from_json<api::Operation>(last_);
            if (operation && !operation->ended() && console_.terminal && !quiet_) {
                console_.out << "\r\x1b[K" << progress_text(*operation) << std::flush;
                any_ = true;
            }
        }
    }

    // Clears the line; the last state of the operation.
    const std::string& finish() {
        if (any_) {
            console_.out << "\r\x1b[K" << std::flush;
        }
        return last_;
    }

private:
    Console& console_;
    bool quiet_;
    bool any_ = false;
    engine::EventBuffer events_;
    std::string last_;
};

ExitCode print_operation(
    const std::string& body, const std::string& asked, bool json, Console& console
) {
    const auto operation = api::from_json<api::Operation>(body);
    if (!operation) {
        return report(console, failure_of_body(asked, operation.error()));
    }
    if (json) {
        print_body(console, body);
    } else {
        console.out << operation_text(*operation, console.style) << std::flush;
    }
    if (operation->state == api::kFailed) {
        const std::string why = printable(operation->error.value_or("it failed"));
        return report(console, {ExitCode::refused, why});
    }
    return ExitCode::ok;
}

ExitCode follow(ApiClient& client, const std::string& id, bool json, Console& console) {
    const std::string path = fmt::format("/v2/operations/{}/events", segment(id));
    OperationWatch watch(console, json);
    const auto status =
        client.follow(path, [&watch](int, std::string_view piece) { watch.take(piece); });
    const std::string last = watch.finish();
    if (!status) {
        return report(console, status.error());
    }
    if (last.empty()) {
        return report(console, {ExitCode::refused, "the operation's events broke off"});
    }
    return print_operation(last, "GET " + path, json, console);
}

// Asks for an operation and, unless told otherwise, follows it to its end.
ExitCode operate(
    ApiClient& client,
    const std::string& path,
    std::string body,
    const ModelOptions& options,
    bool json,
    Console& console
) {
    std::string answer;
    const auto status = client.post(path, std::move(body), [&answer](int, std::string_view piece) {
        answer += piece;
    });
    if (!status) {
        return report(console, status.error());
    }
    if (exit_code_for(*status) != ExitCode::ok) {
        if (json) {
            print_body(console, answer);
        }
        return report(console, failure_of_answer(*status, answer));
    }
    const auto operation = api::from_json<api::Operation>(answer);
    if (options.no_wait || !operation || operation->ended()) {
        return print_operation(answer, "POST " + path, json, console);
    }
    return follow(client, operation->id, json, console);
}

ExitCode stage(ApiClient& client, const ModelOptions& options, bool json, Console& console) {
    api::StageRequest request;
    request.model_ref = options.model;
    request.id = options.id;
    request.digest = options.digest;
    request.replicas = options.replicas;
    for (const std::string& node : options.nodes) {
        request.nodes.emplace_back(node);
    }
    return operate(client, "/v2/catalog/stage", api::to_json(request), options, json, console);
}

ExitCode remove(ApiClient& client, const ModelOptions& options, bool json, Console& console) {
    std::string path = fmt::format("{}/{}", kModels, segment(options.model));
    if (!options.nodes.empty()) {
        path += fmt::format("?nodes={}", segment(fmt::format("{}", fmt::join(options.nodes, ","))));
    }
    const auto answer = client.remove(std::move(path));
    if (!answer) {
        return report(console, answer.error());
    }
    if (json && !answer->body.empty()) {
        print_body(console, answer->body);
    }
    if (exit_code_for(answer->status) != ExitCode::ok) {
        return report(console, failure_of_answer(answer->status, answer->body));
    }
    return ExitCode::ok;
}

}  // namespace

ExitCode model_command(
    ApiClient& client, const ModelOptions& options, bool json, Console& console
) {
    const std::string path = fmt::format("{}/{}", kModels, segment(options.model));
    switch (options.action) {
        case ModelAction::list:
            return print<api::CatalogModelList>(client, kModels, json, catalog_text, console);
        case ModelAction::show:
            return print<api::CatalogModel>(client, path, json, catalog_model_text, console);
        case ModelAction::availability:
            return print<api::CatalogAvailability>(
                client, "/v2/catalog/availability", json, availability_text, console
            );
        case ModelAction::stage:
            return stage(client, options, json, console);
        case ModelAction::verify:
            return operate(client, path + "/verify", "", options, json, console);
        case ModelAction::remove:
            return remove(client, options, json, console);
    }
    return ExitCode::usage;
}

}  // namespace orch::llorch
