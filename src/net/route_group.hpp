#pragma once

#include "net/route_table.hpp"

#include <string>
#include <utility>

namespace orch::net {

// What few routes have.
struct RouteExtras {
    std::string example{};  // as Route::example
    bool routine = false;   // as Route::routine
};

// Adds the routes of one resource: they share their context, who may call and how long a body may
// be. The context outlives the table.
template <class Context>
class RouteGroup {
public:
    using Serve = Task<void> (*)(Context&, Exchange&);

    RouteGroup(
        RouteTable& routes,
        Context& context,
        auth::AuthClass auth,
        Bytes body_limit = kNodeApiBodyLimit
    )
        : routes_(routes), context_(context), auth_(auth), body_limit_(body_limit) {}

    void get(std::string path, std::string summary, Serve serve, RouteExtras extras = {}) {
        add(Method::get, std::move(path), std::move(summary), serve, std::move(extras));
    }

    void post(std::string path, std::string summary, Serve serve, RouteExtras extras = {}) {
        add(Method::post, std::move(path), std::move(summary), serve, std::move(extras));
    }

    void del(std::string path, std::string summary, Serve serve) {
        add(Method::del, std::move(path), std::move(summary), serve, {});
    }

private:
    void add(
        Method method, std::string path, std::string summary, Serve serve, RouteExtras extras
    ) {
        routes_.add({
            .method = method,
            .path = std::move(path),
            .auth = auth_,
            .body_limit = body_limit_,
            .summary = std::move(summary),
            .example = std::move(extras.example),
            .routine = extras.routine,
            .handler = [&context = context_,
                        serve](Exchange& exchange) { return serve(context, exchange); },
        });
    }

    RouteTable& routes_;
    Context& context_;
    auth::AuthClass auth_;
    Bytes body_limit_;
};

}  // namespace orch::net
