// sync_driver.h: carries out what the engine's sync session asks for: cuts and
// stores batches, exchanges them, takes up replies, pauses.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>

#include "api/local_store.h"
#include "codec/batch.h"
#include "engine/sync_session.h"
#include "engine/transport.h"
#include "fieldsync/sync.h"
#include "fieldsync/v1/sync.pb.h"

namespace fieldsync::api {

// What a reply of the server means where it is not a protobuf of the asked kind.
[[nodiscard]] Error error_of(const engine::HttpReply& reply);

class SyncDriver {
 public:
  SyncDriver(LocalStore& store, engine::Transport& transport, const codec::SigningKey& key, const SyncOptions& options);

  [[nodiscard]] Result<SyncReport> run();
  // From any thread.
  void cancel();

 private:
  struct Prepared {
    std::string body;
    std::size_t batch_bytes = 0;
    std::optional<storage::SignedBatch> batch;
  };

  Result<void> exchange(const engine::Action& action, engine::SyncSession& session);
  Result<Prepared> make_request(const engine::Action& action);
  Result<storage::Taken> take(const std::string& body, v1::SyncReply& reply);
  bool pause(core::Milliseconds span);
  void report_progress(const v1::SyncReply& reply);

  LocalStore& store_;
  engine::Transport& transport_;
  codec::SigningKey key_;
  const SyncOptions& options_;
  SyncReport report_;
  std::optional<storage::SignedBatch> ahead_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool cancelled_ = false;
};

}  // namespace fieldsync::api
