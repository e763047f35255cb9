// core_random_history.h: tries a property over random histories with RapidCheck.
//
// How many histories each property tries: 300, or the environment variable
// FIELDSYNC_HISTORIES. The long profile is FIELDSYNC_HISTORIES=100000 on a release
// build. A property that fails prints its smallest counterexample, its seed and
// how to repeat it; RC_PARAMS="seed=..." sets the seed.
#pragma once

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <sstream>
#include <vector>

#include "support/core_history.h"

namespace fieldsync::testing {

inline int histories() {
  const char* wanted = std::getenv("FIELDSYNC_HISTORIES");
  return wanted == nullptr ? 300 : std::atoi(wanted);
}

// Fails the test with RapidCheck's smallest counterexample, if there is one.
template <typename Property>
void for_all_histories(Property&& property) {
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = histories();
  const auto result = rc::detail::checkTestable(std::forward<Property>(property), rc::detail::TestMetadata{}, params);
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  INFO(message.str());
  INFO("Repeat with RC_PARAMS=\"seed=" << params.seed << "\" FIELDSYNC_HISTORIES=" << params.maxSuccess);
  CHECK(result.template is<rc::detail::SuccessResult>());
}

inline void showValue(const History& history, std::ostream& out) {
  const Play play(history);
  out << history.devices << " devices of " << history.persons << " persons wrote:\n";
  for (const Written& each : play.written) {
    out << "  " << play.logs[each.id.device.bytes.back() - 1u][each.id.counter - 1] << ", knowing";
    for (const std::size_t length : each.known) out << ' ' << length;
    out << '\n';
  }
}

}  // namespace fieldsync::testing

namespace rc {

template <>
struct Arbitrary<fieldsync::testing::History> {
  static Gen<fieldsync::testing::History> arbitrary() {
    using fieldsync::testing::History, fieldsync::testing::Step, fieldsync::testing::StepKind;
    // The whole range at every size; only the number of steps grows with it.
    const auto below = [](int end) { return gen::resize(kNominalSize, gen::inRange(0, end)); };
    static const std::vector<StepKind> kinds = {
        StepKind::save,    StepKind::save,   StepKind::save,    StepKind::save,   StepKind::open,
        StepKind::open,    StepKind::pull,   StepKind::pull,    StepKind::pull,   StepKind::pull,
        StepKind::pull,    StepKind::pull,   StepKind::pull,    StepKind::pull,   StepKind::save_two,
        StepKind::resolve, StepKind::remove, StepKind::delete_, StepKind::restore};
    const auto kind = gen::map(below(static_cast<int>(kinds.size())),
                               [](int place) { return kinds[static_cast<std::size_t>(place)]; });
    const auto step = gen::build<Step>(gen::set(&Step::kind, kind), gen::set(&Step::actor, below(6)),
                                       gen::set(&Step::peer, below(6)), gen::set(&Step::place, below(14)),
                                       gen::set(&Step::value, below(4)), gen::set(&Step::count, below(9)));
    return gen::build<History>(
        gen::set(&History::devices, gen::map(below(5), [](int more) { return 2 + more; })),
        gen::set(&History::persons, gen::map(below(4), [](int more) { return 1 + more; })),
        gen::set(&History::first_field, below(14)),
        gen::set(&History::field_count, gen::map(below(14), [](int more) { return 1 + more * more / 14; })),
        gen::set(&History::steps, gen::scale(1.5, gen::container<std::vector<Step>>(step))));
  }
};

}  // namespace rc
