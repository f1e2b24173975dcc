#include "control/gateway/cluster_fixture.hpp"
#include "control/gateway/dispatcher.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

// Requests for a model that no pool has loaded yet.
namespace orch::control::gateway {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{std::chrono::hours(1)};

using Asked = std::vector<PoolKey>;
using Outcome = std::shared_ptr<std::optional<Result<PoolKey>>>;

class DispatcherLoading : public testing::Test {
protected:
    DispatcherLoading() { set_view({at_rest("a"), at_rest("b")}); }

    static view::PoolBlock at_rest(const std::string& node) {
        view::PoolBlock pool = pool_block(key_of(node), {"qwen"}, std::make_shared<LoadCell>(0U));
        pool.ready = false;
        pool.loadable = true;
        return pool;
    }

    static view::PoolBlock loading(const std::string& node) {
        view::PoolBlock pool = at_rest(node);
        pool.loadable = false;
        pool.loading = true;
        return pool;
    }

    static view::PoolBlock failed(const std::string& node) {
        view::PoolBlock pool = at_rest(node);
        pool.loadable = false;
        pool.last_error = "exit code 1";
        return pool;
    }

    static view::PoolBlock ready(const std::string& node) {
        return pool_block(key_of(node), {"qwen"}, std::make_shared<LoadCell>(1U));
    }

    void set_view(std::vector<view::PoolBlock> pools) {
        std::vector<view::NodeBlock> nodes;
        for (view::PoolBlock& pool : pools) {
            const std::string id = pool.key.node.str();
            nodes.push_back(node_block(id, {std::move(pool)}));
        }
        dispatcher_.set_view(view_of(std::move(nodes)), now_);
    }

    // As an edge parks it whose choice was rejected, with something to wait for.
    Outcome park(bool had_a_place = false) {
        Bid bid;
        bid.request.model = "qwen";
        if (!had_a_place) {
            const Error nothing{Errc::model_not_available, "no pool is ready", {}};
            bid.awaited = {placement::kWhileLoading, nothing};
        }
        auto outcome = std::make_shared<std::optional<Result<PoolKey>>>();
        dispatcher_.park(std::move(bid), now_, [outcome](const Result<Grant>& grant) {
            *outcome = grant ? Result<PoolKey>(grant->pool->key) : std::unexpected(grant.error());
        });
        return outcome;
    }

    static std::string error_of(const Outcome& outcome) {
        return *outcome && !**outcome ? (*outcome)->error().message : "";
    }

    Asked asked() { return std::exchange(asked_, {}); }

    Instant now_ = kStart;
    Asked asked_;
    Dispatcher dispatcher_{
        {.capacity = 10, .queue_timeout = 60s},
        {},
        [](const std::string&, admission::Priority, std::size_t) {},
        {},
        [this](const PoolKey& pool) { asked_.push_back(pool); }
    };
};

TEST_F(DispatcherLoading, ARequestHasAPoolLoadedAndIsServedThere) {
    const Outcome request = park();
    EXPECT_EQ(asked(), (Asked{key_of("a")}));
    set_view({loading("a"), at_rest("b")});
    now_ += 40s;
    dispatcher_.retry_refused(now_);
    EXPECT_EQ(asked(), (Asked{})) << "one is on its way";
    EXPECT_FALSE(*request);
    set_view({ready("a"), at_rest("b")});
    ASSERT_TRUE(*request);
    EXPECT_EQ(**request, key_of("a"));
}

TEST_F(DispatcherLoading, ManyRequestsAskForOnePool) {
    const std::vector<Outcome> requests{park(), park(), park()};
    asked();
    dispatcher_.retry_refused(now_);
    EXPECT_EQ(asked(), (Asked{key_of("a")})) << "once a round, as long as nothing came of it";
    set_view({at_rest("b")});
    EXPECT_EQ(asked(), (Asked{key_of("b")})) << "the other node has left";
}

TEST_F(DispatcherLoading, ARefusalSendsItElsewhereAndTheLastOneEndsTheWait) {
    const Outcome request = park();
    EXPECT_EQ(asked(), (Asked{key_of("a")}));
    dispatcher_.load_refused(key_of("a"), "3.1 GiB are free", now_);
    EXPECT_EQ(asked(), (Asked{key_of("b")}));
    EXPECT_FALSE(*request);
    dispatcher_.load_refused(key_of("b"), "its file is missing", now_);
    EXPECT_EQ(asked(), (Asked{}));
    ASSERT_TRUE(*request);
    EXPECT_EQ((*request)->error().code, Errc::model_not_available);
    EXPECT_EQ(
        error_of(request),
        "no pool is ready to serve the model 'qwen'; node 'a': 3.1 GiB are free; node 'b': its "
        "file is missing"
    );
}

TEST_F(DispatcherLoading, ARefusalIsForgottenAfterAWhile) {
    dispatcher_.load_refused(key_of("a"), "3.1 GiB are free", now_);
    dispatcher_.load_refused(key_of("b"), "3.1 GiB are free", now_);
    const Outcome at_once = park();
    EXPECT_EQ(asked(), (Asked{}));
    dispatcher_.retry_refused(now_);
    EXPECT_NE(error_of(at_once), "");
    now_ += Dispatcher::kRefusalHolds;
    const Outcome later = park();
    EXPECT_EQ(asked(), (Asked{key_of("a")}));
    dispatcher_.retry_refused(now_);
    EXPECT_FALSE(*later);
}

TEST_F(DispatcherLoading, ALoadThatFailsEndsTheWaitUnlessAnotherPoolMayBeLoaded) {
    const Outcome request = park();
    set_view({loading("a"), at_rest("b")});
    asked();
    set_view({failed("a"), at_rest("b")});
    EXPECT_EQ(asked(), (Asked{key_of("b")}));
    EXPECT_FALSE(*request);
    set_view({failed("a"), failed("b")});
    EXPECT_EQ(
        error_of(request),
        "no pool is ready to serve the model 'qwen'; pool 'p' of node 'a' is not ready: exit code "
        "1; pool 'p' of node 'b' is not ready: exit code 1"
    );
}

TEST_F(DispatcherLoading, WhoHadAPlaceBeforeWaitsOnWhateverBecomesOfTheLoad) {
    const Outcome request = park(true);
    EXPECT_EQ(asked(), (Asked{key_of("a")}));
    set_view({failed("a"), failed("b")});
    EXPECT_FALSE(*request);
    set_view({ready("a"), failed("b")});
    EXPECT_TRUE(*request && **request == key_of("a"));
}

TEST_F(DispatcherLoading, APoolThatDoesNotComeBackIsFollowedByOneThatIsLoaded) {
    view::PoolBlock gone = failed("a");
    gone.left_at = now_;
    set_view({gone, at_rest("b")});
    Bid bid;
    bid.request.model = "qwen";
    bid.awaited = {now_ + 30s, Error{Errc::model_not_available, "no pool is ready", {}}};
    bool over = false;
    dispatcher_.park(std::move(bid), now_, [&over](const Result<Grant>&) { over = true; });
    EXPECT_EQ(asked(), (Asked{}));
    now_ += 30s;
    dispatcher_.retry_refused(now_);
    EXPECT_EQ(asked(), (Asked{key_of("b")}));
    EXPECT_FALSE(over);
}

TEST_F(DispatcherLoading, TheQueueTimeoutHoldsForALoadToo) {
    const Outcome request = park();
    set_view({loading("a")});
    now_ += 60s;
    dispatcher_.expire(now_);
    ASSERT_TRUE(*request);
    EXPECT_EQ((*request)->error().code, Errc::admission_reject);
    EXPECT_EQ(error_of(request), "no pool for qwen became ready within the queue timeout");
}

}  // namespace
}  // namespace orch::control::gateway
