#pragma once

#include "async/offload.hpp"
#include "net/exchange.hpp"
#include "node/models/model_store.hpp"

namespace orch::node::models {

// Answers with a model's bytes, or the part that Range asks for: 200, 206 or 416. The digest is the
// ETag, so that a download can be taken up again (If-Range). Reads a piece at a time and waits for
// the client to take it. The exchange's edge; `blocking` outlives it.
Task<void> serve_blob(net::Exchange& exchange, async::BlockingPool& blocking, BlobPlace place);

}  // namespace orch::node::models
