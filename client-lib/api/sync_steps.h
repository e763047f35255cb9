// sync_steps.h: one sync, step by step, without a network or a wait of its own.
// Whoever drives it sends what it says and hands it the answers: the blocking
// loop of sync_driver.h in the product, a virtual network in the simulation.
//
//   next() -> SendRequest | Pause | SyncReport (finished) | Error (failed)
//   after SendRequest: prepare_ahead() and on_underway() while it travels, then on_answer()
//   after Pause: next(), or cancel() first
//
// Threads  One at a time. The store's lock is held only for moments.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "api/attachment_transfer.h"
#include "api/local_store.h"
#include "codec/batch.h"
#include "engine/sync_session.h"
#include "engine/transport.h"
#include "fieldsync/sync.h"
#include "fieldsync/v1/sync.pb.h"

namespace fieldsync::api {

using SendRequest = engine::HttpRequest;

struct Pause {
  core::Milliseconds span;
};

using SyncStep = std::variant<SendRequest, Pause, SyncReport, Error>;

class SyncSteps {
 public:
  // `store` outlives this.
  SyncSteps(LocalStore& store, const codec::SigningKey& key, const SyncOptions& options);

  [[nodiscard]] SyncStep next();
  // While a batch travels, the next one is cut, compressed, signed and stored.
  void prepare_ahead();
  // How far a request with bytes of an attachment has come; once more when it has ended.
  [[nodiscard]] bool wants_underway() const { return transfer_.is_underway(); }
  Result<void> on_underway(const engine::Underway& underway);
  // `wire`: what travelled since the sync began.
  void on_answer(const Result<engine::HttpReply>& answer, core::Milliseconds took, engine::WireBytes wire);
  // Of the server that was asked.
  void note_certificate(CertificateFlaw flaw) { report_.certificate_flaw = flaw; }
  // The next step is the failure `cancelled`.
  void cancel();
  // What was done so far.
  [[nodiscard]] const SyncReport& report() const { return report_; }

 private:
  struct Sent {
    std::size_t batch_bytes_aim = 0;
    std::size_t batch_bytes = 0;
    std::optional<storage::SignedBatch> batch;  // without its content
  };

  Result<std::string> make_request(const engine::Action& action);
  Result<void> take_up(const Result<engine::HttpReply>& answer, core::Milliseconds took);
  Result<void> take_up_transfer(const Result<engine::HttpReply>& answer, core::Milliseconds took);
  // The office revoked this device: what it holds goes to quarantine there, and it is told nothing else.
  void set_handing_in(bool handing_in);
  // Whether the office has all that was saved here, which then was erased.
  Result<bool> erase_what_was_handed_in();
  // The server does not know its own cursors any more: all scopes are read from their
  // beginning. Returns `refusal` where no cursor was sent, and the second time in one sync:
  // servers behind one address that refuse each other's cursors would never end it.
  Result<void> read_all_anew(const Error& refusal, core::Milliseconds took);
  // The reply is not of this store's history: compares on, or ends with device_forked.
  Result<void> take_up_other_history(const v1::SyncReply& reply, core::Milliseconds took);
  // The batch was refused because the server has another history of this device: the
  // same. Returns `refusal` where it stays.
  Result<void> take_up_other_history(const Error& refusal, core::Milliseconds took);
  // There is more to send than the last request said.
  void ask_again(core::Milliseconds took);
  Result<storage::Taken> store_reply(const v1::SyncReply& reply);
  // Before anything of the reply is taken: whether it goes on from the history that this device was shown, and, where
  // the reply is of this store's own history, has a receipt for all that it acknowledges. Stores what is known from now
  // on. Pre: the store's lock is held, in the transaction that takes the reply up.
  Result<void> take_history(const v1::SyncReply& reply, bool own_history);
  void note_loss(const audit::KnownHistory& known, const audit::CheckedHistory& checked);
  // What the office claimed in a comparison it does not prove: all of it waits again.
  Result<void> discard_comparison();
  // Nothing where the sync is at its end, or an exchange has to come first.
  Result<std::optional<engine::HttpRequest>> next_transfer();
  SyncStep finish();
  void report_progress();

  LocalStore& store_;
  codec::SigningKey key_;
  SyncOptions options_;
  engine::SyncSession session_;
  SyncReport report_;
  Sent sent_;
  std::optional<storage::SignedBatch> ahead_;
  // The server has refusals to tell, and sends no record before: no batch beside the next
  // request, so that downloads do not wait for uploads.
  bool refusals_first_ = false;
  bool began_anew_ = false;
  bool handing_in_ = false;
  bool told_of_revocation_ = false;
  bool more_to_receive_ = false;
  AttachmentTransfer transfer_;
};

// not_enrolled, storage_corrupt.
[[nodiscard]] Result<SyncSteps> begin_sync(LocalStore& store, const SyncOptions& options);

}  // namespace fieldsync::api
