#pragma once

#include "async/async_clock.hpp"
#include "async/offload.hpp"
#include "net/client_exchange.hpp"
#include "node/models/model_source.hpp"
#include "node/models/partial_file.hpp"

#include <functional>
#include <optional>
#include <string>

namespace orch::node::models {

// Downloads one model into a partial file. Follows redirections; after a connection that broke off
// it goes on where it stopped when the server can tell that the file is still the same (ETag), else
// from the start. Memory: one piece of 1 MiB. The control thread.
class ModelFetch {
public:
    struct Parts {
        async::AsyncClock& clock;
        net::ClientPool& clients;
        async::BlockingPool& blocking;
    };

    // Hears bytes so far and bytes in all (0 = not told); an error ends the download.
    using OnProgress = std::function<Result<void>(Bytes done, Bytes total)>;

    // `token` is sent to the source itself, never to where it redirects; empty = none.
    ModelFetch(Parts parts, HttpSource source, std::string token, OnProgress on_progress);

    // `file` outlives the call. Errors: what the source answered or did not, for people.
    Task<Result<void>> run(PartialFile& file);

    // Ends run() with an error, from the same thread.
    void stop();

private:
    struct Attempt {
        Result<void> result;
        bool again = false;  // worth another attempt
    };

    net::ClientRequest make_request(const PartialFile& file) const;
    Task<Attempt> attempt(PartialFile& file);
    Task<Attempt> take_head(net::ClientExchange& exchange, PartialFile& file);
    Task<Attempt> take_body(net::ClientExchange& exchange, PartialFile& file);
    Task<Result<void>> flush(PartialFile& file);
    std::string where() const;

    Parts parts_;
    HttpSource source_;
    std::string token_;
    OnProgress on_progress_;
    std::string etag_;  // strong; empty: the download cannot be taken up again
    Bytes total_ = 0;
    std::string buffer_;
    bool stopped_ = false;
    bool redirected_ = false;  // by the last answer
    net::ClientExchange* exchange_ = nullptr;
};

}  // namespace orch::node::models
