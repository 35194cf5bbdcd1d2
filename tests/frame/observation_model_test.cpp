// SPDX-License-Identifier: MIT
// The mark of what a worker runs, under the explorer: who looks sees one scope, not parts of two.
#include "protocol/model.hpp"
#include "takt/frame.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace {

using protocol::Policies;
using protocol::PolicyNames;

template <class P>
class RunningMark : public ::testing::Test {};
TYPED_TEST_SUITE(RunningMark, Policies, PolicyNames);

template <class P>
auto look_while_it_goes_on() {
    return [](auto& x) {
        constexpr const char* kUnknown = "";
        constexpr const char* kTopics[] = {"one", "two", "three"};
        struct State {
            takt::detail::RunningMark<P> mark;
        };
        auto state = std::make_shared<State>();
        P::name(state->mark, "mark");
        x.thread("worker", [=] {
            for (std::uint64_t at = 0; at < 3; ++at) {
                state->mark.begin(at + 1, kUnknown, std::string(30, static_cast<char>('a' + at)));
                state->mark.set_topic(kTopics[at]);
                state->mark.end();
            }
        });
        x.thread("watchdog", [=] {
            for (int look = 0; look < 2; ++look) {
                takt::RunningScope scope;
                if (!state->mark.look(scope))
                    continue;
                const std::uint64_t at = scope.actor - 1;
                P::check(at < 3, "an actor that nobody wrote");
                P::check(scope.topic == kTopics[at] || scope.topic == kUnknown,
                         "another one's topic");
                P::check(scope.name == std::string(30, static_cast<char>('a' + at)),
                         "another one's name");
                P::check(scope.number == 2 * at + 1, "another one's number");
            }
        });
        x.finally([] {});
    };
}

TYPED_TEST(RunningMark, a_look_sees_one_scope) {
    const explorer::Report report = explorer::explore_all(look_while_it_goes_on<TypeParam>());
    std::cout << report.summary << "\n";
    EXPECT_TRUE(report.ok) << report;
}

} // namespace
