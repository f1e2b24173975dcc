#include "control/app/profile.hpp"

namespace orch::control::app {
namespace {

constexpr std::uint16_t kPort = 8080;

}  // namespace

std::string_view to_string(Profile profile) {
    return profile == Profile::home ? "HOME" : "CLOUD";
}

ProfileChoice decide_profile(std::optional<bool> cloud_setting, std::optional<HostPort> address) {
    if (cloud_setting == true) {
        return {
            Profile::cloud,
            address.value_or(HostPort{"0.0.0.0", kPort}),
            "ORCHESTRATORD_CLOUD_PROFILE is true",
        };
    }
    const HostPort bind = address.value_or(HostPort{"127.0.0.1", kPort});
    if (cloud_setting == false) {
        return {Profile::home, bind, "ORCHESTRATORD_CLOUD_PROFILE is false"};
    }
    if (address && !is_loopback_host(address->host)) {
        return {Profile::cloud, bind, "the address is reachable from other machines"};
    }
    return {Profile::home, bind, address ? "the address is loopback" : "no address is set"};
}

}  // namespace orch::control::app
