// unlocked_store.h: an app's store, opened as tests open it.
#pragma once

#include "api/local_store.h"
#include "support/test_unlocking.h"

namespace fieldsync::testing {

// As open_local_store, and unlocked.
[[nodiscard]] inline Result<std::unique_ptr<api::LocalStore>> open_unlocked(const std::string& file,
                                                                            api::Environment environment) {
  auto store = api::open_local_store(file, true, std::move(environment));
  if (!store) return store;
  if (auto unlocked = api::unlock(**store, test_credentials()); !unlocked) return unlocked.error();
  return store;
}

// The same, as an app gives it.
[[nodiscard]] inline Credentials app_credentials() {
  return {{}, [](std::string_view challenge) -> Result<std::string> {
            const auto key = test_credentials().hardware(challenge);
            return std::string(key->view());
          }};
}

}  // namespace fieldsync::testing
