// sync_with_office.h: a device with real storage syncs with a real service, with
// no network between them.
#pragma once

#include "support/stored_device.h"
#include "unit/server/test_office.h"

namespace fieldsync::testing {

// A monitor's device with a store.
[[nodiscard]] std::unique_ptr<StoredDevice> add_stored_device(TestOffice& office);
[[nodiscard]] std::unique_ptr<StoredDevice> add_stored_device(TestOffice& office, const core::PersonId& person);

// One exchange whose answer does not come back.
void send_into_the_void(TestOffice& office, StoredDevice& device, std::size_t wire_bytes_max = 1'000'000);

// Exchanges until nothing is left on either side, as a sync does.
void sync(TestOffice& office, StoredDevice& device, std::size_t wire_bytes_max = 1'000'000,
          std::uint32_t reply_budget_bytes = 0);

// The device shows what the office has, byte for byte, and nothing waits.
void check_same(TestOffice& office, StoredDevice& device);

}  // namespace fieldsync::testing
