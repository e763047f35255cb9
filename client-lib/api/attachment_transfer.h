// attachment_transfer.h: which bytes of attachments travel next within one sync, after the
// text: previews first, then audio, then photos and documents. No I/O of its own.
//
// The office tells of each attachment that is offered how many bytes it has on its disk, and
// the upload goes on from there; a download goes on from the bytes that are here. So nothing
// depends on what either side remembers of a broken connection.
//
// Threads  As SyncSteps. The store's lock is taken for moments.
// Errors   Calls throw SqliteError.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "api/local_store.h"
#include "engine/transport.h"
#include "fieldsync/sync.h"
#include "fieldsync/v1/sync.pb.h"

namespace fieldsync::api {

class AttachmentTransfer {
 public:
  // `store` outlives this.
  AttachmentTransfer(LocalStore& store, const AttachmentLimits& limits);

  // While the device hands in, only what its own saves name is sent, and nothing comes.
  void set_handing_in(bool handing_in);

  // Whether the office is to be asked first what it has.
  [[nodiscard]] bool needs_exchange();
  // Pre: the store's lock is held. The office knows an attachment once it has the save that names it.
  void put_offers(v1::SyncRequest& request, bool all_saves_are_there);
  void take_statuses(const v1::SyncReply& reply);

  // Nothing where no bytes are to travel.
  [[nodiscard]] std::optional<engine::HttpRequest> next();
  [[nodiscard]] bool is_underway() const { return current_.has_value(); }
  // While the request travels, and once when it has ended.
  void on_underway(const engine::Underway& underway);
  Result<void> on_answer(const Result<engine::HttpReply>& answer, core::Milliseconds took);
  // Whether bytes came through since the last call.
  [[nodiscard]] bool take_progress() { return std::exchange(progress_, false); }
  // Why some attachments stay where they are, though the sync went well else.
  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }

  void count(SyncProgress& progress);
  void count(SyncReport& report) const;

 private:
  using Id = core::AttachmentId;
  struct Current {
    storage::AttachmentRow attachment;
    bool upload = false;
    std::uint32_t offset = 0;
    std::uint64_t bytes = 0;  // of the request's body, or asked for
    std::uint64_t moved = 0;  // as far as is known
  };

  [[nodiscard]] bool allows(storage::TransferKind kind) const;
  [[nodiscard]] bool is_settled(const Id& id) const { return told_.contains(id) || skipped_.contains(id); }
  // What may travel, in order.
  [[nodiscard]] std::vector<storage::AttachmentRow> may_travel(storage::AttachmentState state);
  // Wanted, and all bytes are here: nobody heard the end of their answer.
  [[nodiscard]] std::vector<storage::AttachmentRow> arrived_whole();
  // Of the bytes that are left of one attachment.
  [[nodiscard]] std::uint64_t next_bytes(std::uint64_t left) const;
  [[nodiscard]] engine::HttpRequest upload(const storage::AttachmentRow& attachment);
  [[nodiscard]] engine::HttpRequest download(const storage::AttachmentRow& attachment);
  // Stores what arrived of a download.
  void keep(Current& current, const engine::Underway& underway);
  Result<void> end_upload(const Current& ended, const Result<engine::HttpReply>& answer);
  Result<void> end_download(const Current& ended, const Result<engine::HttpReply>& answer);
  void take_status(const v1::AttachmentStatus& status);
  // It may have been freed, or its scope erased, while its bytes travelled.
  [[nodiscard]] bool is_wanted(const storage::AttachmentRow& attachment);
  // The other side says that the bytes are not what they should be. Once it may be chance.
  void begin_anew(const storage::AttachmentRow& attachment);
  // Pre: all of its bytes are here. It is shown from now on, or begins anew.
  void end_whole_download(const storage::AttachmentRow& attachment);
  [[nodiscard]] bool is_whole(const storage::AttachmentRow& attachment);
  void adapt(std::uint64_t moved, core::Milliseconds took);

  LocalStore& store_;
  AttachmentLimits limits_;
  std::set<Id> offered_;              // with the last request
  std::map<Id, std::uint32_t> told_;  // what the office has of it
  std::map<Id, std::uint32_t> furthest_;
  std::set<Id> skipped_;  // not in this sync any more
  std::set<Id> begun_anew_;
  std::set<Id> stood_still_;  // at its last request the office kept nothing of it
  std::optional<Current> current_;
  std::optional<Error> problem_;
  bool handing_in_ = false;
  bool uploads_end_ = false;
  bool progress_ = false;
  std::size_t chunk_bytes_;
  std::uint64_t bytes_up_ = 0;
  std::uint64_t bytes_down_ = 0;
};

}  // namespace fieldsync::api
