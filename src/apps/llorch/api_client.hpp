#pragma once

#include "apps/llorch/endpoint.hpp"
#include "apps/llorch/exit_code.hpp"
#include "base/clock.hpp"
#include "net/client_exchange.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace orch::llorch {

// A whole answer of any status.
struct Answer {
    int status = 0;
    std::string body;
};

// Calls the control plane, one request at a time, on the calling thread.
// Failures: unreachable without an answer, refused when it breaks off in the middle, interrupted.
class ApiClient {
public:
    // Hears each piece of an answer's body as it comes.
    using OnPiece = std::function<void(int status, std::string_view piece)>;

    explicit ApiClient(Endpoint endpoint);

    Outcome<Answer> get(std::string path);
    Outcome<Answer> remove(std::string path);  // DELETE

    // Any other small call. `wait`: how long the server may take over it.
    Outcome<Answer> call(
        net::Method method, std::string path, std::string body, Duration wait = Duration::zero()
    );

    // Sends a JSON body and returns the status of the answer once it has ended. Waits for hours:
    // the server has the time limits of inference.
    Outcome<int> post(std::string path, std::string body, const OnPiece& on_piece);

    // GETs a stream of events, which may pause for as long.
    Outcome<int> follow(std::string path, const OnPiece& on_piece);

private:
    struct Call;

    Outcome<int> send(net::Method method, std::string path, Call call);
    net::ClientRequest make_request(net::Method method, std::string path, const Call& call) const;
    Outcome<int> outcome_of(const Call& call) const;

    Endpoint endpoint_;
};

}  // namespace orch::llorch
