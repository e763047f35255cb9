// page_builder.h: what changed for a device since its cursors, within a budget.
#pragma once

#include <cstdint>
#include <vector>

#include "codec/frame.h"
#include "fieldsync/v1/sync.pb.h"
#include "service/cursor.h"
#include "service/form_cache.h"
#include "service/upload.h"
#include "store/store.h"

namespace fieldsync::server {

inline constexpr std::uint32_t reply_budget_bytes_default = 1024 * 1024;
inline constexpr std::uint32_t reply_budget_bytes_max = 4 * 1024 * 1024;

enum class BodyStyle : std::uint8_t { frame, plain, expanded };

class PageBuilder {
 public:
  PageBuilder(ReadTransaction& transaction, const DeviceRow& device, const CursorKey& key, const FormSet& forms,
              codec::FrameReader& reader)
      : transaction_(transaction), device_(device), key_(key), forms_(forms), reader_(reader) {}

  // Adds scopes, scopes_gone and `more` to the reply. `upload` is what this
  // request's batch did, or null.
  Result<void> build(const v1::SyncRequest& request, const UploadOutcome* upload, BodyStyle style, bool with_directory,
                     v1::SyncReply& reply);
  // Which of the page's records are of a form with sealed or safety fields, for the audit log.
  [[nodiscard]] std::vector<v1::ScopeRead> take_sensitive_reads() { return std::move(sensitive_reads_); }

 private:
  struct Start {
    std::uint64_t seq = 0;
    std::uint64_t complete = 0;  // see Cursor
    bool known = false;          // the device named a position
    bool restart = false;        // its copy is not what it should be
  };

  Result<Start> start_of(const MembershipRow& membership, const ReadersView& view, const v1::SyncRequest& request,
                         const ScopeUpload* upload);
  bool has_diverged(const ScopeRow& scope, const ReadersView& view, const Cursor& cursor, std::uint64_t digest,
                    const ScopeUpload* upload);
  Result<void> fill(const ScopeRow& scope, const ReadersView& view, const Start& start, const ScopeUpload* upload,
                    BodyStyle style, v1::ScopeChanges& out, bool& more);
  Result<void> add_change(const VisibleRecord& visible, std::uint64_t complete, BodyStyle style, v1::ScopeChanges& out);
  void add_records_gone(const ReadersView& view, const Start& start, v1::ScopeChanges& out);
  void note_read(const RecordRow& row, const ScopeRow& scope);
  Result<void> add_scopes_gone(const v1::SyncRequest& request, const std::vector<MembershipRow>& memberships,
                               v1::SyncReply& reply);

  ReadTransaction& transaction_;
  const DeviceRow& device_;
  const CursorKey& key_;
  const FormSet& forms_;
  codec::FrameReader& reader_;
  std::size_t budget_ = 0;
  std::vector<v1::ScopeRead> sensitive_reads_;
};

}  // namespace fieldsync::server
