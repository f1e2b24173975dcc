#include "daemon/reloader.hpp"

#include "audit/chain.hpp"
#include "auth/token_settings.hpp"
#include "base/clock_fake.hpp"
#include "base/file.hpp"
#include "base/log_capture.hpp"
#include "base/replace_file.hpp"
#include "net/test_certificates.hpp"
#include "net/tls_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace orch::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr const char* kOld = "old-token-0123456789";
constexpr const char* kNew = "new-token-0123456789";

SettingsTable table() {
    SettingsTable made{
        .program = "x",
        .version = "1",
        .summary = "s",
        .prefixes = {"X_", "LLORCH_"},
        .settings =
            {
                {.name = "X_IDLE_SECS", .kind = SettingKind::duration, .fallback = "5", .live = true
                },
                {.name = "X_ADDR", .kind = SettingKind::address, .fallback = "127.0.0.1:1"},
                {.name = "LLORCH_API_TOKEN", .kind = SettingKind::list, .secret = true, .live = true
                },
                {.name = "LLORCH_API_TOKEN_FILE", .kind = SettingKind::path, .live = true},
                {.name = "LLORCH_TOKEN_GRACE_SECS",
                 .kind = SettingKind::duration,
                 .fallback = "60",
                 .zero_allowed = true,
                 .live = true},
            },
    };
    for (Setting& setting : net::tls_settings("X")) {
        made.settings.push_back(std::move(setting));
    }
    return made;
}

struct ReloaderTest : testing::Test {
    ReloaderTest() {
        write(token_file, kOld);
        files = ca.issue("node");
        write(config_file, config("5", "127.0.0.1:1"));
        SettingsRead read = load_settings(table(), sources());
        EXPECT_THAT(read.errors, IsEmpty());
        auth::AuthPolicy policy;
        policy.tokens.add(kOld);
        auth = std::make_unique<auth::LiveAuth>(std::move(policy), kOld);
        tls = std::make_unique<net::LiveTls>(*net::load_tls(files));
        audit = std::make_unique<audit::AuditLog>(ca.path("audit"), clock, Logger(sink, "audit"));
        EXPECT_TRUE(audit->open());
        const auto plan = [this](SettingsRead& next) -> std::function<void()> {
            const Duration idle = next.settings.get_duration("X_IDLE_SECS");
            return [this, idle] { applied.push_back(idle); };
        };
        reloader = std::make_unique<Reloader>(
            Reloader::Spec{table(), sources(), "X", plan},
            std::move(read),
            Reloader::Parts{*auth, *tls, *audit, clock},
            Logger(sink, "reload")
        );
    }

    SettingsSources sources() const { return {{"--config", config_file}, {}}; }

    std::string config(const std::string& idle, const std::string& address) const {
        return "idle_secs: " + idle + "\naddr: " + address + "\napi_token_file: " + token_file +
               "\ntls_cert: " + files.cert + "\ntls_key: " + files.key + "\n";
    }

    static void write(const std::string& path, const std::string& text) {
        ASSERT_TRUE(replace_file(path, text));
    }

    bool valid(const char* token) const {
        return auth->policy()->tokens.match(token, clock.now()).has_value();
    }

    // Two looks: a change counts once the files have settled.
    void look() {
        reloader->look_at_files();
        reloader->look_at_files();
    }

    std::string audited() {
        audit.reset();
        const auto paths = audit::list_files(ca.path("audit"));
        return paths && !paths->empty() ? *load_file(paths->front()) : "";
    }

    net::TestCa ca{"reloader"};
    std::string token_file = ca.path("token");
    std::string config_file = ca.path("x.yaml");
    net::TlsFiles files;
    FakeClock clock;
    CapturedLog log;
    LogSink sink{LogConfig{}, clock, log};
    std::unique_ptr<auth::LiveAuth> auth;
    std::unique_ptr<net::LiveTls> tls;
    std::unique_ptr<audit::AuditLog> audit;
    std::unique_ptr<Reloader> reloader;
    std::vector<Duration> applied;
};

TEST_F(ReloaderTest, PutsLiveSettingsInForceAndNamesThoseThatNeedARestart) {
    write(config_file, config("7", "127.0.0.1:2"));
    const auto report = reloader->reload();
    EXPECT_TRUE(report.success);
    EXPECT_THAT(report.changed, ElementsAre("X_IDLE_SECS"));
    EXPECT_THAT(report.needs_restart, ElementsAre("X_ADDR"));
    EXPECT_THAT(applied, ElementsAre(std::chrono::seconds(7)));
}

TEST_F(ReloaderTest, ChangesNothingWhenAValueIsWrong) {
    write(token_file, kNew);
    write(config_file, config("never", "127.0.0.1:1"));
    const auto report = reloader->reload();
    EXPECT_FALSE(report.success);
    EXPECT_THAT(report.errors, ElementsAre(HasSubstr("X_IDLE_SECS")));
    EXPECT_THAT(applied, IsEmpty());
    EXPECT_FALSE(valid(kNew));
}

TEST_F(ReloaderTest, TakesATokenFileThatChangedAndKeepsTheOldTokenForItsGrace) {
    write(token_file, kNew);
    look();
    EXPECT_TRUE(valid(kNew));
    EXPECT_TRUE(valid(kOld));
    EXPECT_EQ(auth->outbound().text(), kNew);
    clock.advance(std::chrono::seconds(60));
    EXPECT_FALSE(valid(kOld));
    const std::string text = audited();
    EXPECT_THAT(text, HasSubstr("token_rotation_detected"));
    EXPECT_THAT(text, HasSubstr(auth::fp6(kNew)));
    EXPECT_THAT(text, Not(HasSubstr(kNew)));
}

TEST_F(ReloaderTest, KeepsTheTokensWhenTheNewFileIsWrongAndSaysSoOnce) {
    for (const char* const wrong : {"", "# nothing\n", "short\n"}) {
        write(token_file, wrong);
        look();
        look();
        EXPECT_TRUE(valid(kOld)) << wrong;
        EXPECT_EQ(auth->outbound().text(), kOld) << wrong;
    }
    EXPECT_EQ(log.count("the token file has changed and is wrong"), 3U);
    EXPECT_EQ(log.count(token_file), 3U);
    std::filesystem::remove(token_file);
    look();
    EXPECT_TRUE(valid(kOld));
    write(token_file, kNew);
    look();
    EXPECT_TRUE(valid(kNew));
}

TEST_F(ReloaderTest, TakesACertificateThatChangedAndKeepsTheOldOneWhenItIsBroken) {
    const auto before = tls->load();
    ca.issue("node");
    look();
    const auto renewed = tls->load();
    EXPECT_NE(renewed->server, before->server);
    write(files.key, "no key");
    look();
    EXPECT_EQ(tls->load(), renewed);
    EXPECT_EQ(log.count("the TLS files have changed and are wrong"), 1U);
    EXPECT_EQ(log.count(files.key + ": no private key"), 1U);
    ca.issue("node");
    look();
    EXPECT_NE(tls->load(), renewed);
}

TEST_F(ReloaderTest, AReloadTakesTokensAndCertificatesToo) {
    const auto before = tls->load();
    write(token_file, kNew);
    ca.issue("node");
    const auto report = reloader->reload();
    EXPECT_THAT(report.changed, ElementsAre("tokens"));
    EXPECT_TRUE(valid(kNew));
    EXPECT_NE(tls->load(), before);
}

TEST_F(ReloaderTest, GoingWithoutTlsOrTokensNeedsARestart) {
    write(config_file, "idle_secs: 9\n");
    const auto report = reloader->reload();
    EXPECT_THAT(
        report.errors,
        UnorderedElementsAre(HasSubstr("LLORCH_API_TOKEN_FILE"), HasSubstr("X_TLS_CERT"))
    );
    EXPECT_THAT(applied, IsEmpty());
    EXPECT_TRUE(valid(kOld));
}

}  // namespace
}  // namespace orch::daemon
