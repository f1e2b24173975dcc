#include "apps/llorch/own_address.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>

namespace orch::llorch {
namespace {

// The address as text if it is IPv4 and of that interface.
std::optional<std::string> ipv4_of(const ifaddrs& entry, const std::string& interface) {
    if (entry.ifa_addr == nullptr || entry.ifa_addr->sa_family != AF_INET ||
        interface != entry.ifa_name) {
        return std::nullopt;
    }
    sockaddr_in address{};
    std::memcpy(&address, entry.ifa_addr, sizeof address);
    std::array<char, INET_ADDRSTRLEN> text{};
    const char* const written =
        inet_ntop(AF_INET, &address.sin_addr, text.data(), static_cast<socklen_t>(text.size()));
    return written == nullptr ? std::nullopt : std::optional<std::string>(written);
}

std::optional<std::string> find_ipv4(const std::string& interface) {
    ifaddrs* first = nullptr;
    if (getifaddrs(&first) != 0) {
        return std::nullopt;
    }
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> all(first, &freeifaddrs);
    for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
        if (auto found = ipv4_of(*entry, interface)) {
            return found;
        }
    }
    return std::nullopt;
}

std::string host_name() {
    std::array<char, HOST_NAME_MAX + 1> name{};
    return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

}  // namespace

std::optional<std::string> default_interface(std::string_view routes) {
    std::istringstream lines{std::string(routes)};
    std::string line;
    std::optional<std::string> best;
    std::uint64_t lowest = UINT64_MAX;
    while (std::getline(lines, line)) {
        std::istringstream fields(line);
        std::string interface;
        std::string destination;
        std::string skipped;
        std::uint64_t metric = 0;
        fields >> interface >> destination;
        for (int field = 0; field < 4; ++field) {  // gateway, flags, reference count, use
            fields >> skipped;
        }
        if (fields >> metric && destination == "00000000" && metric < lowest) {
            lowest = metric;
            best = interface;
        }
    }
    return best;
}

std::string own_address() {
    std::ifstream file("/proc/net/route");
    const std::string routes(
        (std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>()
    );
    const auto interface = default_interface(routes);
    const auto address = interface ? find_ipv4(*interface) : std::nullopt;
    return address ? *address : host_name();
}

}  // namespace orch::llorch
