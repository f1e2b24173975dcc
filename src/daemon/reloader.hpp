#pragma once

#include "api/reload_report.hpp"
#include "audit/audit_log.hpp"
#include "auth/live_auth.hpp"
#include "base/file_watch.hpp"
#include "base/log.hpp"
#include "base/settings.hpp"
#include "daemon/settings_in_force.hpp"
#include "net/tls_context.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace orch::daemon {

// Reads a daemon's settings, tokens and certificates again and puts in force what may change while
// it runs. Blocks for file reads: not for an edge or a control thread. Any other thread.
class Reloader {
public:
    // Makes values of the settings, adding to `errors` what is wrong with them; the returned
    // function puts them in force. It is called only when nothing is wrong.
    using Plan = std::function<std::function<void()>(SettingsRead&)>;

    struct Parts {
        auth::LiveAuth& auth;
        net::LiveTls& tls;
        audit::AuditLog& audit;
        const Clock& clock;
    };

    struct Spec {
        SettingsTable table;
        SettingsSources sources;
        std::string prefix;  // of the TLS settings: "ORCHESTRATORD"
        Plan plan;
    };

    Reloader(Spec spec, SettingsRead in_force, Parts parts, Logger log);

    // Everything: SIGHUP, POST /v2/admin/reload. With an error nothing changes.
    api::ReloadReport reload();

    // To be called every second or so: reads tokens or certificates whose files have changed. A
    // file that is wrong is told once and changes nothing.
    void look_at_files();

private:
    struct Secrets {
        auth::Tokens tokens;
        std::shared_ptr<const net::Tls> tls;
    };

    std::vector<std::string> token_paths() const;
    std::vector<std::string> tls_paths() const;
    void watch_anew();
    bool put_in_force(const auth::Tokens& tokens);
    void read_tokens_again();
    void read_tls_again();
    void tell(const api::ReloadReport& report);

    std::mutex mutex_;
    Spec spec_;
    SettingsInForce in_force_;
    Parts parts_;
    Logger log_;
    FileWatch token_files_;
    FileWatch tls_files_;
};

}  // namespace orch::daemon
