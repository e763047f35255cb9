// forked_store.h: an app whose store has an older or a second copy, and who sees what
// becomes of it.
#pragma once

#include <algorithm>

#include "app_office.h"

namespace fieldsync::testing {

inline std::uint64_t operations_at(TestOffice& office) {
  TestDevice nobody;
  return office.standing(nobody).operations;
}

inline Values sorted(Values values) {
  std::sort(values.begin(), values.end());
  return values;
}

// An app, and a reader that sees what reaches the office.
struct Start {
  AppOffice office;
  App app{office};
  App reader{office, office.add_person(server::Role::monitor, office.scope)};

  // The app works on an older copy of its store, and knows it.
  void fork() {
    const std::string copy = app.copy_store();
    app.write("summary", text("After the copy."));
    app.sync();
    app.put_back(copy);
    app.write("summary", text("Saved in the copy."));
    CHECK(verdict(app->sync({})) == "device_forked");
  }
  // The device that enrolled last.
  void revoke_newest() {
    REQUIRE(office.store->write([&](server::WriteTransaction& transaction) -> Result<void> {
      const auto devices = transaction.devices();
      const auto newest = std::max_element(
          devices.begin(), devices.end(),
          [](const server::DeviceRow& left, const server::DeviceRow& right) { return left.key < right.key; });
      transaction.revoke_device(newest->key, office.now);
      return {};
    }));
  }
  void enrol_again(App& which) { must(which->enrol(office.enrolment_for(office.monitor), "The phone again")); }
  void check_same(App& left, App& right) {
    left.sync();
    right.sync();
    left.sync();
    CHECK(must(left->scopes())[0].digest == must(right->scopes())[0].digest);
    CHECK(must(left->status()).saved_here == 0);
    CHECK(must(right->status()).saved_here == 0);
  }
};

}  // namespace fieldsync::testing
