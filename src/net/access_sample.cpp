#include "net/access_sample.hpp"

namespace orch::net {

// FNV-1a, and a last mix because its low bits hardly know the first bytes: ids that others made up
// need not be random. http://www.isthe.com/chongo/tech/comp/fnv/
bool is_sampled(std::string_view trace_id, std::uint64_t every) {
    if (every <= 1 || trace_id.empty()) {
        return true;
    }
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : trace_id) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    }
    hash ^= hash >> 32U;
    return hash % every == 0;
}

}  // namespace orch::net
