#include "apps/llorch/token_text.hpp"

#include <fmt/format.h>

namespace orch::llorch {
namespace {

constexpr std::string_view kPlain =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";

// On a loopback address the profile is not obvious to orchestratord.
std::string start_command(const NewCluster& cluster) {
    const HostPort& at = cluster.control_plane;
    const bool local = is_loopback_host(at.host);
    const HostPort bind{local ? at.host : "0.0.0.0", at.port};
    return fmt::format(
        "orchestratord --addr {}{}{} --api-token-file {}",
        to_string(bind),
        local ? " --cloud-profile true" : "",
        cluster.tls ? " --tls-cert CERT.pem --tls-key KEY.pem" : "",
        shell_word(cluster.token_file)
    );
}

}  // namespace

std::string shell_word(std::string_view text) {
    if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) {
        return std::string(text);
    }
    std::string quoted = "'";
    for (const char c : text) {
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return quoted + "'";
}

std::string token_text(const NewCluster& cluster, std::string_view shown_token) {
    const std::string url =
        (cluster.tls ? "https://" : "http://") + to_string(cluster.control_plane);
    std::string text =
        shown_token.empty()
            ? fmt::format("The cluster token is in {}\n", cluster.token_file)
            : fmt::format(
                  "The cluster token, also in {}:\n\n  {}\n", cluster.token_file, shown_token
              );
    text += fmt::format(
        "\nStart the control plane on this machine:\n\n  {}\n"
        "\nJoin the next machine: there, paste the token into a file (end with Ctrl-D) and start\n"
        "the node:\n\n"
        "  (umask 077; cat > llorch.token)\n"
        "  pool-managerd --orchestratord-url {} --api-token-file llorch.token --model FILE.gguf\n"
        "\nUse the cluster:\n\n"
        "  export LLORCH_URL={} LLORCH_API_TOKEN_FILE={}\n"
        "  llorch nodes\n",
        start_command(cluster),
        url,
        url,
        shell_word(cluster.token_file)
    );
    return text;
}

}  // namespace orch::llorch
