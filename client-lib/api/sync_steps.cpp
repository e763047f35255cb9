#include "api/sync_steps.h"

#include <google/protobuf/arena.h>

#include <algorithm>

#include "api/problem.h"
#include "codec/frame.h"

namespace fieldsync::api {
namespace {

constexpr std::uint32_t protocol_version = 1;

void put_batch(const storage::SignedBatch& batch, v1::Batch& wire) {
  wire.set_first_counter(batch.first);
  if (batch.first > 1) wire.set_previous_hash_prefix(batch.previous.data(), codec::previous_hash_prefix_bytes);
  wire.set_signature(batch.signature);
  wire.set_encoding(static_cast<v1::Encoding>(batch.encoding));
  wire.set_content(batch.content);
}

}  // namespace

Result<SyncSteps> begin_sync(LocalStore& store, const SyncOptions& options) {
  return sqlite::guard([&]() -> Result<SyncSteps> {
    std::string private_key;
    {
      const std::lock_guard lock(store.mutex);
      if (store.identity.person().is_none()) return Error{Errc::not_enrolled, {}};
      private_key = store.identity.private_key_pem();
    }
    auto key = tls::signing_key(private_key);
    if (!key) return key.error();
    return SyncSteps(store, *key, options);
  });
}

SyncSteps::SyncSteps(LocalStore& store, const codec::SigningKey& key, const SyncOptions& options)
    : store_(store),
      key_(key),
      options_(options),
      session_(options.retries, store.environment.jitter),
      transfer_(store, options.attachments) {}

SyncStep SyncSteps::next() {
  while (true) {
    const engine::Action action = session_.next();
    switch (action.kind) {
      case engine::Action::Kind::finished: {
        auto transfer = sqlite::guard([&] { return next_transfer(); });
        if (!transfer) {
          session_.on_failure(transfer.error());
          continue;
        }
        if (*transfer) return std::move(**transfer);
        if (session_.is_reopened()) continue;
        return finish();
      }
      case engine::Action::Kind::failed: return action.error;
      case engine::Action::Kind::pause: return Pause{action.pause};
      case engine::Action::Kind::exchange: break;
    }
    auto body = sqlite::guard([&] { return make_request(action); });
    if (body) {
      report_.body_bytes_up += body->size();
      return SendRequest{handing_in_ ? "/v1/sync?hand_in" : "/v1/sync", std::move(*body)};
    }
    ahead_.reset();
    session_.on_failure(body.error());
  }
}

Result<std::optional<engine::HttpRequest>> SyncSteps::next_transfer() {
  bool text_waits = false;
  {
    const std::lock_guard lock(store_.mutex);
    text_waits = store_.identity.last_counter() > store_.identity.acknowledged_counter();
  }
  // What was saved meanwhile goes first.
  if (text_waits || transfer_.needs_exchange()) {
    session_.reopen();
    return std::optional<engine::HttpRequest>();
  }
  return transfer_.next();
}

void SyncSteps::cancel() { session_.on_failure({Errc::cancelled, {}}); }

void SyncSteps::set_handing_in(bool handing_in) {
  handing_in_ = report_.revoked = handing_in;
  transfer_.set_handing_in(handing_in);
}

Result<bool> SyncSteps::erase_what_was_handed_in() {
  return sqlite::guard([&]() -> Result<bool> {
    const std::lock_guard lock(store_.mutex);
    if (!store_.identity.all_is_proven()) return false;
    const auto waiting = store_.attachments.in_state(storage::AttachmentState::waiting);
    if (std::any_of(waiting.begin(), waiting.end(), [](const auto& row) { return row.named_here; })) return false;
    destroy(store_);
    return true;
  });
}

SyncStep SyncSteps::finish() {
  if (handing_in_) {
    const auto erased = erase_what_was_handed_in();
    if (!erased) return erased.error();
    if (*erased) {
      return Error{
          Errc::wiped,
          "This device's access was withdrawn. All that was saved on it is at the office, and was erased here. "
          "Speak to your coordinator."};
    }
  }
  const auto noted = sqlite::guard([&]() -> Result<void> {
    const std::lock_guard lock(store_.mutex);
    storage::Transaction transaction(store_.vault);
    store_.identity.set_last_sync(store_.environment.wall_clock());
    transaction.commit();
    return {};
  });
  if (!noted) return noted.error();
  if (transfer_.problem()) return *transfer_.problem();
  return report_;
}

void SyncSteps::prepare_ahead() {
  if (!sent_.batch) return;
  const auto ahead = sqlite::guard([&]() -> Result<void> {
    const std::lock_guard lock(store_.mutex);
    storage::Transaction transaction(store_.vault);
    ahead_ = store_.outbox.batch_ahead_of(*sent_.batch, sent_.batch_bytes_aim, store_.identity.device(), key_);
    transaction.commit();
    return {};
  });
  if (!ahead) ahead_.reset();
}

void SyncSteps::on_answer(const Result<engine::HttpReply>& answer, core::Milliseconds took, engine::WireBytes wire) {
  ++report_.requests;
  report_.wire_bytes_up = wire.up;
  report_.wire_bytes_down = wire.down;
  const bool of_attachment = transfer_.is_underway();
  const auto taken =
      sqlite::guard([&] { return of_attachment ? take_up_transfer(answer, took) : take_up(answer, took); });
  transfer_.count(report_);
  if (transfer_.take_progress()) session_.on_progress();
  if (taken) return;
  ahead_.reset();
  // Once: servers behind one address that know of different revocations would never end it.
  if (taken.error().code == Errc::device_revoked && !std::exchange(told_of_revocation_, true)) {
    set_handing_in(true);
    sent_ = {};
    ask_again(took);
  } else {
    session_.on_failure(taken.error());
  }
}

Result<void> SyncSteps::on_underway(const engine::Underway& underway) {
  return sqlite::guard([&]() -> Result<void> {
    transfer_.on_underway(underway);
    report_progress();
    return {};
  });
}

Result<void> SyncSteps::take_up_transfer(const Result<engine::HttpReply>& answer, core::Milliseconds took) {
  auto taken = transfer_.on_answer(answer, took);
  if (taken) report_progress();
  return taken;
}

Result<void> SyncSteps::take_up(const Result<engine::HttpReply>& answer, core::Milliseconds took) {
  if (!answer) return answer.error();
  report_.body_bytes_down += answer->body.size();
  if (answer->status != 200) {
    const Error refused = error_of(*answer);
    if (refused.code == Errc::bad_cursor) return read_all_anew(refused, took);
    const bool other_history = refused.code == Errc::device_forked || refused.code == Errc::batch_chain_broken;
    return other_history && sent_.batch ? take_up_other_history(refused, took) : refused;
  }
  google::protobuf::Arena arena;
  auto& reply = *google::protobuf::Arena::CreateMessage<v1::SyncReply>(&arena);
  if (!reply.ParseFromString(answer->body)) return Error{Errc::incompatible_server, {}};
  if (reply.minimum_protocol_version() > protocol_version) return Error{Errc::unsupported_protocol_version, {}};
  // An office that was restored does not know that it revoked the device.
  if (handing_in_ && !reply.revoked()) set_handing_in(false);
  std::uint64_t acknowledged_before = 0;
  bool own_history = false;
  {
    const std::lock_guard lock(store_.mutex);
    acknowledged_before = store_.identity.acknowledged_counter();
    own_history = store_.fork.is_own_history(reply);
  }
  if (!own_history) return take_up_other_history(reply, took);
  auto taken = store_reply(reply);
  if (!taken) {
    if (taken.error().code == Errc::receipt_invalid) {
      if (auto discarded = discard_comparison(); !discarded) return discarded;
    }
    return taken.error();
  }
  transfer_.take_statuses(reply);
  more_to_receive_ = reply.more();
  report_progress();
  engine::SyncSession::Exchanged exchanged;
  exchanged.batch_bytes = sent_.batch_bytes;
  exchanged.reply_bytes = answer->body.size();
  exchanged.took = took;
  exchanged.more_to_receive = reply.more() || taken->begins_anew;
  exchanged.progress = taken->operations_acknowledged > 0 || taken->records_received > 0;
  {
    const std::lock_guard lock(store_.mutex);
    exchanged.more_to_send = store_.identity.last_counter() > store_.identity.acknowledged_counter();
  }
  const bool rewound = acknowledged_before > reply.acknowledged_counter();
  if (sent_.batch && taken->operations_acknowledged == 0 && !rewound) {
    return Error{
        Errc::incompatible_server,
        "The server took the batch and acknowledged nothing of it. Everything stays saved here; tell the office."};
  }
  if (reply.more() && !exchanged.progress && !taken->moved) {
    // The next request would be the same one, and so would its answer.
    return Error{Errc::incompatible_server,
                 "The server says that more waits and sends nothing. Everything stays saved here; tell the office."};
  }
  refusals_first_ = sent_.batch && reply.more() && reply.scopes().empty();
  session_.on_reply(exchanged);
  return {};
}

Result<void> SyncSteps::read_all_anew(const Error& refusal, core::Milliseconds took) {
  {
    const std::lock_guard lock(store_.mutex);
    storage::Transaction transaction(store_.vault);
    if (began_anew_ || !store_.replica.read_all_anew()) return refusal;
    transaction.commit();
  }
  began_anew_ = true;
  engine::SyncSession::Exchanged exchanged;
  exchanged.batch_bytes = sent_.batch_bytes;
  exchanged.took = took;
  exchanged.more_to_receive = true;
  session_.on_reply(exchanged);
  return {};
}

Result<void> SyncSteps::take_up_other_history(const v1::SyncReply& reply, core::Milliseconds took) {
  const std::lock_guard lock(store_.mutex);
  storage::Transaction transaction(store_.vault);
  if (auto history = take_history(reply, false); !history) return history;
  const auto further = store_.fork.compare_on(reply, sent_.batch ? &*sent_.batch : nullptr);
  if (!further) return further.error();
  transaction.commit();
  if (!*further) return Error{Errc::device_forked, {}};
  ask_again(took);
  return {};
}

Result<void> SyncSteps::take_up_other_history(const Error& refusal, core::Milliseconds took) {
  const std::lock_guard lock(store_.mutex);
  storage::Transaction transaction(store_.vault);
  const auto further = store_.fork.compare_on(refusal.code, sent_.batch->first);
  if (!further) return further.error();
  transaction.commit();
  if (!*further) return refusal;
  ask_again(took);
  return {};
}

void SyncSteps::ask_again(core::Milliseconds took) {
  engine::SyncSession::Exchanged exchanged;
  exchanged.batch_bytes = sent_.batch_bytes;
  exchanged.took = took;
  exchanged.more_to_send = true;
  session_.on_reply(exchanged);
}

Result<std::string> SyncSteps::make_request(const engine::Action& action) {
  google::protobuf::Arena arena;
  auto& request = *google::protobuf::Arena::CreateMessage<v1::SyncRequest>(&arena);
  sent_ = {action.batch_bytes, 0, {}};
  const std::lock_guard lock(store_.mutex);
  request.set_protocol_version(protocol_version);
  request.set_device_time_ms(store_.environment.wall_clock().ms);
  for (const storage::ScopeRow& scope : store_.directory.scopes()) {
    if (scope.cursor.empty()) continue;
    v1::ScopePosition& position = *request.add_positions();
    position.set_cursor(scope.cursor);
    position.set_digest(scope.digest);
  }
  request.set_forms_version(store_.identity.forms_version());
  request.set_directory_version(store_.identity.directory_version());
  // Nothing is taken of a page while histories are compared.
  request.set_reply_budget_bytes(store_.identity.comparing() ? 1 : static_cast<std::uint32_t>(action.reply_bytes));
  request.set_dictionary_id(codec::dictionary_id());
  request.set_refusals_digest(store_.outbox.refusals_digest());
  request.set_attachments_version(store_.identity.attachments_version());
  const codec::ChainPosition acknowledged = store_.identity.acknowledged();
  request.set_checks_history(true);
  request.set_receipted_counter(store_.identity.receipted_counter());
  if (const auto checkpoint = store_.identity.history().checkpoint)
    audit::write_checkpoint(*checkpoint, *request.mutable_checkpoint());
  // Where the office has other saves from there on, a batch would tell nothing more.
  const bool forked = store_.identity.forked_from() != 0;
  const bool refusals_first = std::exchange(refusals_first_, false);
  const bool follows = ahead_ && ahead_->first == acknowledged.counter + 1 && ahead_->previous == acknowledged.hash;
  if (!refusals_first && follows) {
    sent_.batch = std::move(ahead_);
  } else if (!refusals_first && !forked) {
    storage::Transaction transaction(store_.vault);
    sent_.batch = store_.outbox.batch_after(acknowledged, action.batch_bytes, store_.identity.device(), key_);
    transaction.commit();
  }
  ahead_.reset();
  if (!sent_.batch && !forked && !refusals_first && store_.identity.last_counter() > acknowledged.counter) {
    return Error{
        Errc::storage_corrupt,
        "A save that waits to be sent is missing from the store of this device. Tell the office before you write on."};
  }
  if (sent_.batch) {
    put_batch(*sent_.batch, *request.mutable_batch());
    for (const storage::TimedOperation& timed : store_.outbox.effective_times(sent_.batch->first, sent_.batch->last)) {
      v1::EffectiveTime& former = *request.add_former_times();
      former.set_counter(timed.counter);
      former.set_effective_time_ms(timed.effective.ms);
    }
    sent_.batch_bytes = sent_.batch->content.size();
    sent_.batch->content.clear();
  }
  transfer_.put_offers(request, !sent_.batch || sent_.batch->last == store_.identity.last_counter());
  return request.SerializeAsString();
}

Result<storage::Taken> SyncSteps::store_reply(const v1::SyncReply& reply) {
  const std::lock_guard lock(store_.mutex);
  storage::Transaction transaction(store_.vault);
  if (auto history = take_history(reply, true); !history) return history.error();
  auto taken = store_.replica.take(reply);
  if (!taken) return taken;
  if (auto ended = store_.fork.end_comparison(); !ended) return ended.error();
  transaction.commit();
  report_.operations_acknowledged += taken->operations_acknowledged;
  report_.operations_refused += taken->operations_refused;
  report_.records_received += taken->records_received;
  return taken;
}

Result<void> SyncSteps::take_history(const v1::SyncReply& reply, bool own_history) {
  const audit::KnownHistory known = store_.identity.history();
  const std::uint64_t acknowledged = reply.acknowledged_counter();
  // A history that was set back has lost the entries that receipts named.
  const std::uint64_t receipted = reply.has_set_back() ? 0 : store_.identity.receipted_counter();
  std::optional<audit::AwaitedReceipt> awaited;
  if (own_history && acknowledged > receipted) {
    const auto position = store_.outbox.position_at(acknowledged, reply.last_batch_hash_prefix());
    if (!position) return Error{Errc::receipt_invalid, {}};
    awaited = audit::AwaitedReceipt{store_.identity.device(), *position};
  }
  const auto checked = audit::check_history(reply, known, awaited);
  if (!checked) return checked.error();
  if (checked->loss) note_loss(known, *checked);
  const bool is_new = checked->known.key != known.key || checked->known.checkpoint != known.checkpoint;
  if (is_new) store_.identity.set_history(checked->known);
  // What the office does not have any more is sent again, and proven again.
  const std::uint64_t proven = own_history ? acknowledged : receipted;
  if (proven != store_.identity.receipted_counter()) store_.identity.set_receipted_counter(proven);
  return {};
}

void SyncSteps::note_loss(const audit::KnownHistory& known, const audit::CheckedHistory& checked) {
  v1::SetBackEvidence evidence;
  audit::write_checkpoint(*known.checkpoint, *evidence.mutable_before());
  audit::write_checkpoint(*checked.known.checkpoint, *evidence.mutable_after());
  evidence.set_entry(checked.loss->entry);
  evidence.set_entry_number(checked.loss->entry_number);
  evidence.set_noticed_ms(store_.environment.wall_clock().ms);
  store_.identity.add_set_back_evidence(evidence);
  report_.history_set_back = true;
}

Result<void> SyncSteps::discard_comparison() {
  const std::lock_guard lock(store_.mutex);
  if (!store_.identity.comparing()) return {};
  storage::Transaction transaction(store_.vault);
  if (auto begun = store_.fork.begin_comparison(); !begun) return begun.error();
  transaction.commit();
  return {};
}

void SyncSteps::report_progress() {
  if (!options_.on_progress) return;
  SyncProgress progress;
  progress.operations_acknowledged = report_.operations_acknowledged;
  progress.records_received = report_.records_received;
  progress.more_to_receive = more_to_receive_;
  {
    const std::lock_guard lock(store_.mutex);
    progress.operations_waiting = store_.identity.last_counter() - store_.identity.acknowledged_counter();
  }
  transfer_.count(progress);
  options_.on_progress(progress);
}

}  // namespace fieldsync::api
