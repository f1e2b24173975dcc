#include "daemon/reloader.hpp"

#include "auth/token_settings.hpp"
#include "net/tls_settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace orch::daemon {
namespace {

constexpr const char* kTokenFile = "LLORCH_API_TOKEN_FILE";

std::string listed(const std::vector<std::string>& names) {
    return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

Reloader::Reloader(Spec spec, SettingsRead in_force, Parts parts, Logger log)
    : spec_(std::move(spec)),
      in_force_(std::move(in_force)),
      parts_(parts),
      log_(std::move(log)),
      token_files_(load_file_stamps(token_paths())),
      tls_files_(load_file_stamps(tls_paths())) {}

std::vector<std::string> Reloader::token_paths() const {
    const auto path = in_force_.settings().find_text(kTokenFile);
    return path ? std::vector{*path} : std::vector<std::string>{};
}

std::vector<std::string> Reloader::tls_paths() const {
    std::vector<std::string> paths;
    for (const char* const part : {"_TLS_CERT", "_TLS_KEY", "_TLS_CA", "_TLS_CLIENT_CA"}) {
        if (const auto path = in_force_.settings().find_text(spec_.prefix + part)) {
            paths.push_back(*path);
        }
    }
    return paths;
}

void Reloader::watch_anew() {
    token_files_.taken(load_file_stamps(token_paths()));
    tls_files_.taken(load_file_stamps(tls_paths()));
}

api::ReloadReport Reloader::reload() {
    const std::lock_guard lock(mutex_);
    SettingsRead next = load_settings(spec_.table, spec_.sources);
    const auto apply = spec_.plan(next);
    SettingsRead again = next;  // what it says has been told by the plan
    const auth::Tokens tokens = auth::read_token_settings(again);
    const net::TlsFiles files = net::read_tls_settings(again, spec_.prefix);
    if (parts_.auth.policy()->tokens.empty() != tokens.accepted.empty()) {
        next.errors.push_back(
            "LLORCH_API_TOKEN_FILE: the first token, and going without any, need a restart"
        );
    }
    if (parts_.tls.load()->server == nullptr && !files.cert.empty()) {
        next.errors.push_back(fmt::format(
            "{}_TLS_CERT: a listener that speaks plain HTTP needs a restart to speak TLS",
            spec_.prefix
        ));
    }
    if (parts_.tls.load()->server != nullptr && files.cert.empty()) {
        next.errors.push_back(fmt::format(
            "{}_TLS_CERT: a listener that speaks TLS needs a restart to speak plain HTTP",
            spec_.prefix
        ));
    }
    auto tls = net::load_tls(files);
    if (!tls && next.errors.empty()) {
        next.errors.push_back(tls.error().message);
    }
    api::ReloadReport report;
    if (next.errors.empty()) {
        report = in_force_.compare(next);
        in_force_.take(next);
        if (!tokens.accepted.empty() && put_in_force(tokens)) {
            report.changed.emplace_back("tokens");
        }
        parts_.tls.publish(std::move(*tls));
        apply();
    } else {
        report.success = false;
        report.errors = std::move(next.errors);
    }
    watch_anew();
    tell(report);
    return report;
}

void Reloader::tell(const api::ReloadReport& report) {
    if (!report.success) {
        log_.warn(
            "the settings were read again and are wrong: nothing was changed",
            {{"errors", listed(report.errors)}}
        );
        return;
    }
    log_.info(
        "the settings were read again",
        {{"changed", listed(report.changed)}, {"needs_restart", listed(report.needs_restart)}}
    );
}

bool Reloader::put_in_force(const auth::Tokens& tokens) {
    const Duration grace = in_force_.settings().get_duration("LLORCH_TOKEN_GRACE_SECS");
    const std::string sent_before = parts_.auth.outbound().text();
    const auth::TokenChange change = parts_.auth.rotate(tokens, grace, parts_.clock.now());
    const std::string sent = parts_.auth.outbound().text();
    if (change.empty() && sent == sent_before) {
        return false;
    }
    const std::string added = listed(change.added);
    const std::string removed = listed(change.removed);
    const std::string shown = auth::fp6(sent);
    log_.info(
        "the tokens were read again",
        {{"added", added},
         {"removed", removed},
         {"sent_to_others", shown},
         {"grace_secs", std::chrono::duration<double>(grace).count()}}
    );
    for (const std::string& warning : tokens.warnings) {
        log_.warn(warning);
    }
    parts_.audit.write(
        {"token_rotation_detected",
         "",
         "",
         "success",
         {{"added_fp6", added}, {"removed_fp6", removed}, {"sent_fp6", shown}}}
    );
    return true;
}

void Reloader::look_at_files() {
    const std::lock_guard lock(mutex_);
    if (token_files_.look(load_file_stamps(token_paths()))) {
        read_tokens_again();
    }
    if (tls_files_.look(load_file_stamps(tls_paths()))) {
        read_tls_again();
    }
}

void Reloader::read_tokens_again() {
    SettingsRead read;
    read.settings = in_force_.settings();
    const auth::Tokens tokens = auth::read_token_settings(read);
    if (read.errors.empty()) {
        put_in_force(tokens);
        return;
    }
    log_.warn(
        "the token file has changed and is wrong: the tokens stay as they were",
        {{"reason", listed(read.errors)}}
    );
    parts_.audit.write({"token_reload", "", "", "refused", {{"reason", listed(read.errors)}}});
}

void Reloader::read_tls_again() {
    SettingsRead read;
    read.settings = in_force_.settings();
    const net::TlsFiles files = net::read_tls_settings(read, spec_.prefix);
    auto tls = net::load_tls(files);
    if (read.errors.empty() && tls) {
        parts_.tls.publish(std::move(*tls));
        log_.info("the certificates were read again", {{"files", listed(files.paths())}});
        parts_.audit.write({"tls_reload", "", "", "success", {{"files", listed(files.paths())}}});
        return;
    }
    log_.warn(
        "the TLS files have changed and are wrong: the certificates stay as they were",
        {{"reason", listed(read.errors)}}
    );
    parts_.audit.write({"tls_reload", "", "", "refused", {{"reason", listed(read.errors)}}});
}

}  // namespace orch::daemon
