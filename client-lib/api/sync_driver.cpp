#include "api/sync_driver.h"

#include <google/protobuf/arena.h>
#include <sodium.h>

#include <chrono>

#include "codec/frame.h"
#include "fieldsync/v1/problem.pb.h"

namespace fieldsync::api {
namespace {

constexpr std::uint32_t protocol_version = 1;

double random_part() { return static_cast<double>(randombytes_random()) / 4294967295.0; }

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void put_batch(const storage::SignedBatch& batch, v1::Batch& wire) {
  wire.set_first_counter(batch.first);
  if (batch.first > 1) wire.set_previous_hash_prefix(batch.previous.data(), codec::previous_hash_prefix_bytes);
  wire.set_signature(batch.signature);
  wire.set_encoding(static_cast<v1::Encoding>(batch.encoding));
  wire.set_content(batch.content);
}

}  // namespace

Error error_of(const engine::HttpReply& reply) {
  v1::Problem problem;
  if (reply.content_type.starts_with("application/x-protobuf") && problem.ParseFromString(reply.body)) {
    if (const auto code = errc_from_name(problem.code())) return {*code, problem.detail()};
  }
  if (reply.status == 503) return {Errc::overloaded, {}};
  return {Errc::incompatible_server, "The server answered with status " + std::to_string(reply.status) + ", which this app does not understand."};
}

SyncDriver::SyncDriver(LocalStore& store, engine::Transport& transport, const codec::SigningKey& key, const SyncOptions& options)
    : store_(store), transport_(transport), key_(key), options_(options) {}

void SyncDriver::cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  wake_.notify_all();
  transport_.cancel();
}

bool SyncDriver::pause(core::Milliseconds span) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, std::chrono::milliseconds(span.count), [this] { return cancelled_; });
}

Result<SyncReport> SyncDriver::run() {
  engine::SyncSession session(options_.retries, random_part);
  while (true) {
    const engine::Action action = session.next();
    switch (action.kind) {
      case engine::Action::Kind::finished:
        return sqlite::guard([&]() -> Result<SyncReport> {
          const std::lock_guard lock(store_.mutex);
          store_.identity.set_last_sync(device_time());
          return report_;
        });
      case engine::Action::Kind::failed:
        return action.error;
      case engine::Action::Kind::pause:
        if (!pause(action.pause)) session.on_failure({Errc::cancelled, {}});
        break;
      case engine::Action::Kind::exchange:
        if (auto done = exchange(action, session); !done) {
          ahead_.reset();
          session.on_failure(done.error());
        }
        break;
    }
  }
}

Result<void> SyncDriver::exchange(const engine::Action& action, engine::SyncSession& session) {
  auto prepared = sqlite::guard([&] { return make_request(action); });
  if (!prepared) return prepared.error();
  report_.body_bytes_up += prepared->body.size();
  const std::int64_t began = steady_ms();
  transport_.start("/v1/sync", std::move(prepared->body));
  if (prepared->batch) {
    // While a batch travels, the next one is cut, compressed, signed and stored.
    const auto ahead = sqlite::guard([&]() -> Result<void> {
      const std::lock_guard lock(store_.mutex);
      ahead_ = store_.outbox.batch_ahead_of(*prepared->batch, action.batch_bytes, store_.identity.device(), key_);
      return {};
    });
    if (!ahead) ahead_.reset();
  }
  auto answered = transport_.wait();
  ++report_.requests;
  const engine::WireBytes wire = transport_.wire_bytes();
  report_.wire_bytes_up = wire.up;
  report_.wire_bytes_down = wire.down;
  if (!answered) return answered.error();
  report_.body_bytes_down += answered->body.size();
  if (answered->status != 200) return error_of(*answered);
  google::protobuf::Arena arena;
  auto& reply = *google::protobuf::Arena::CreateMessage<v1::SyncReply>(&arena);
  std::uint64_t acknowledged_before = 0;
  {
    const std::lock_guard lock(store_.mutex);
    acknowledged_before = store_.identity.acknowledged_counter();
  }
  auto taken = sqlite::guard([&] { return take(answered->body, reply); });
  if (!taken) return taken.error();
  report_progress(reply);
  engine::SyncSession::Exchanged exchanged;
  exchanged.batch_bytes = prepared->batch_bytes;
  exchanged.reply_bytes = answered->body.size();
  exchanged.took = {steady_ms() - began};
  exchanged.more_to_receive = reply.more();
  exchanged.progress = taken->operations_acknowledged > 0 || taken->records_received > 0;
  {
    const std::lock_guard lock(store_.mutex);
    exchanged.more_to_send = store_.identity.last_counter() > store_.identity.acknowledged_counter();
  }
  const bool rewound = acknowledged_before > reply.acknowledged_counter();
  if (prepared->batch && taken->operations_acknowledged == 0 && !rewound) {
    return Error{Errc::incompatible_server, "The server took the batch and acknowledged nothing of it. Everything stays saved here; tell the office."};
  }
  session.on_reply(exchanged);
  return {};
}

Result<SyncDriver::Prepared> SyncDriver::make_request(const engine::Action& action) {
  google::protobuf::Arena arena;
  auto& request = *google::protobuf::Arena::CreateMessage<v1::SyncRequest>(&arena);
  Prepared prepared;
  const std::lock_guard lock(store_.mutex);
  request.set_protocol_version(protocol_version);
  request.set_device_time_ms(device_time().ms);
  for (const storage::ScopeRow& scope : store_.directory.scopes()) {
    if (scope.cursor.empty()) continue;
    v1::ScopePosition& position = *request.add_positions();
    position.set_cursor(scope.cursor);
    position.set_digest(scope.digest);
  }
  request.set_forms_version(store_.identity.forms_version());
  request.set_directory_version(store_.identity.directory_version());
  request.set_reply_budget_bytes(static_cast<std::uint32_t>(action.reply_bytes));
  request.set_dictionary_id(codec::dictionary_id());
  const std::uint64_t acknowledged = store_.identity.acknowledged_counter();
  if (ahead_ && ahead_->first == acknowledged + 1) {
    prepared.batch = std::move(ahead_);
  } else {
    prepared.batch = store_.outbox.batch_after(acknowledged, action.batch_bytes, store_.identity.device(), key_);
  }
  ahead_.reset();
  if (prepared.batch) {
    put_batch(*prepared.batch, *request.mutable_batch());
    prepared.batch_bytes = prepared.batch->content.size();
    prepared.batch->content.clear();
  }
  prepared.body = request.SerializeAsString();
  return prepared;
}

Result<storage::Taken> SyncDriver::take(const std::string& body, v1::SyncReply& reply) {
  if (!reply.ParseFromString(body)) return Error{Errc::incompatible_server, {}};
  if (reply.minimum_protocol_version() > protocol_version) return Error{Errc::unsupported_protocol_version, {}};
  const std::lock_guard lock(store_.mutex);
  sqlite::Transaction transaction(*store_.connection);
  auto taken = store_.replica.take(reply);
  if (!taken) return taken;
  transaction.commit();
  report_.operations_acknowledged += taken->operations_acknowledged;
  report_.operations_refused += taken->operations_refused;
  report_.records_received += taken->records_received;
  return taken;
}

void SyncDriver::report_progress(const v1::SyncReply& reply) {
  if (!options_.on_progress) return;
  SyncProgress progress;
  progress.operations_acknowledged = report_.operations_acknowledged;
  progress.records_received = report_.records_received;
  progress.more_to_receive = reply.more();
  {
    const std::lock_guard lock(store_.mutex);
    progress.operations_waiting = store_.identity.last_counter() - store_.identity.acknowledged_counter();
  }
  options_.on_progress(progress);
}

}  // namespace fieldsync::api
