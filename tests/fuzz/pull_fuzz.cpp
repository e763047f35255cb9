// pull_fuzz.cpp: what a server answers, to a phone's real store. The server that a
// device trusts may be broken; the device keeps what it has.
#include <memory>
#include <string>

#include "fuzz/input.h"
#include "fuzz/made_replies.h"
#include "fuzz/must_hold.h"
#include "fuzz/sound_team.h"
#include "fuzz/target.h"
#include "sqlite/connection.h"
#include "storage/replica.h"
#include "storage/schema.h"
#include "support/laid_open.h"
#include "support/test_unlocking.h"
#include "tls/key_pair.h"

namespace {

using namespace fieldsync;
using fuzz::must_hold;

constexpr std::size_t replies_max = 3;

// The phone's store, without the application above it.
struct Store {
  explicit Store(const std::string& path) {
    auto opened = storage::open_store(path, true);  // it would look for the file outside SQLite
    must_hold(static_cast<bool>(opened), "a sound store opens");
    connection = std::move(*opened);
  }

  std::unique_ptr<sqlite::Connection> connection;
};

struct Parts {
  explicit Parts(sqlite::Connection& connection)
      : vault(connection),
        identity(connection, vault),
        directory(connection, vault),
        records(connection, vault),
        outbox(connection, vault),
        attachments(connection, vault),
        replica(identity, directory, records, outbox, attachments) {
    must_hold(static_cast<bool>(testing::open_vault(connection, vault)), "a sound store opens");
  }

  storage::Vault vault;
  storage::Identity identity;
  storage::Directory directory;
  storage::RecordStore records;
  storage::Outbox outbox;
  storage::Attachments attachments;
  storage::Replica replica;
};

void check_readable(Parts& parts) {
  const std::uint64_t last = parts.identity.last_counter();
  const std::uint64_t acknowledged = parts.identity.acknowledged_counter();
  must_hold(last >= acknowledged && acknowledged >= parts.identity.durable_counter(),
            "a status says no more than is true");
  parts.records.for_each_shown([&](const core::RecordState& state) {
    must_hold(!state.id.is_none(), "a record that is shown has an id");
    static_cast<void>(parts.records.replica(state.id));
    return true;
  });
  static_cast<void>(parts.directory.forms());
  static_cast<void>(parts.outbox.refused());
}

// As an app does before it sends: of each save one, so that a reply may end anywhere.
void sign_batches(Parts& parts) {
  const auto key = tls::signing_key(parts.identity.private_key_pem());
  must_hold(static_cast<bool>(key), "an enrolled store has a key");
  storage::Transaction transaction(parts.vault);
  codec::ChainPosition end = parts.identity.acknowledged();
  while (const auto batch = parts.outbox.batch_after(end, 1, parts.identity.device(), *key)) end = batch->end();
  must_hold(end.counter == parts.identity.last_counter(), "everything that waits is in a batch");
  transaction.commit();
}

void take(sqlite::Connection& connection, Parts& parts, const v1::SyncReply& reply) {
  const std::string before = testing::laid_open(connection, parts.vault);
  try {
    storage::Transaction transaction(parts.vault);
    if (parts.replica.take(reply)) {
      transaction.commit();
      check_readable(parts);
      return;
    }
  } catch (const sqlite::SqliteError& error) {
    must_hold(error.code() != Errc::storage_corrupt, "no reply makes a store look damaged");
  }
  must_hold(testing::laid_open(connection, parts.vault) == before, "a reply is taken whole or not at all");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  team::Team& team = fuzz::sound_team().put_back();
  const Store store(team.phone.file());
  Parts parts(*store.connection);
  sign_batches(parts);
  fuzz::Input input(data, size);
  for (std::size_t count = 0; count < replies_max && !input.is_empty(); ++count) {
    v1::SyncReply reply;
    if (input.below(4) == 0) {
      const std::string_view bytes = input.chunk();
      if (!reply.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) continue;
    } else {
      reply = fuzz::make_reply(input, parts.identity.acknowledged_counter());
    }
    take(*store.connection, parts, reply);
  }
  return 0;
}
