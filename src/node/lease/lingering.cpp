#include "node/lease/lingering.hpp"

#include "api/http_address.hpp"
#include "engine/llamacpp.hpp"
#include "net/http_call.hpp"

#include <utility>

namespace orch::node::lease {
namespace {

constexpr Duration kCallLimit = std::chrono::seconds(5);

}  // namespace

void Lingering::add(Lease lease) {
    const bool can_be_asked = lease.pool().spec->engine == EngineFamily::llamacpp;
    if (!lease.held() || !can_be_asked) {
        return;
    }
    const std::string url = lease.replica().url;
    Watched& watched = by_url_[url];
    watched.leases.push_back(std::move(lease));
    if (!watched.watching) {
        watched.watching = true;
        edge_.tasks().spawn(watch(url));
    }
}

Task<void> Lingering::watch(std::string url) {
    Duration pause = kFirstLook;
    while (!by_url_[url].leases.empty()) {
        if (!co_await edge_.clock().sleep_for(pause)) {
            break;
        }
        pause = kNextLook;
        const auto busy = co_await busy_slots(url);
        // An engine that does not answer is gone or will be judged by its prober: either way its
        // slots are no longer this request's.
        release_idle(by_url_[url], busy.value_or(0));
    }
    by_url_.erase(url);
}

Task<std::optional<std::uint32_t>> Lingering::busy_slots(std::string url) {
    const auto address = api::parse_http_address(url, "url");
    if (!address) {
        co_return std::nullopt;
    }
    net::ClientRequest request;
    request.to = HostPort{address->host, address->port};
    request.target = "/slots";
    const auto answer = co_await net::http_call(edge_.clients(), std::move(request), kCallLimit);
    if (answer.failure != net::UpstreamFailure::none || answer.status != 200) {
        co_return std::nullopt;
    }
    const auto slots = engine::parse_llama_slots(answer.body);
    co_return slots ? std::optional(slots->busy) : std::nullopt;
}

void Lingering::release_idle(Watched& watched, std::uint32_t busy) {
    while (!watched.leases.empty()) {
        const std::uint32_t claimed = watched.leases.front().replica().cell->claimed();
        const auto lingering = static_cast<std::uint32_t>(watched.leases.size());
        const std::uint32_t live = claimed > lingering ? claimed - lingering : 0;
        if (busy >= live + lingering) {
            return;
        }
        log_.debug("the engine is done with a request whose client left", {{"busy", busy}});
        watched.leases.pop_front();
    }
}

}  // namespace orch::node::lease
