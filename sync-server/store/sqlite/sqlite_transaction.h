// sqlite_transaction.h: the questions and changes of store.h as SQL, in a source for each kind of tables.
#pragma once

#include "sqlite/connection.h"
#include "store/store.h"

namespace fieldsync::server {

class SqliteTransaction final : public WriteTransaction {
 public:
  explicit SqliteTransaction(sqlite::Connection& connection) : connection_(connection) {}

  std::uint64_t forms_version() override;
  std::uint64_t directory_version() override;
  std::vector<FormRow> forms_since(std::uint64_t version) override;
  std::optional<FormRow> form(std::string_view name) override;
  std::vector<ScopeRow> scopes() override;
  std::optional<ScopeRow> scope(const core::ScopeId& id) override;
  std::optional<ScopeRow> scope_by_key(std::int64_t key) override;
  std::vector<PersonRow> people() override;
  std::vector<PersonRow> people_seen_in(const ReadersView& view) override;
  std::vector<MembershipRow> memberships(const core::PersonId& person) override;
  std::optional<DeviceRow> device_by_id(const core::DeviceId& id) override;
  std::vector<DeviceRow> devices() override;
  std::optional<RecordRow> record(const core::RecordId& id) override;
  std::vector<core::RecordId> records_in_conflict(std::string_view form) override;
  std::vector<core::RecordId> records_of(std::string_view form) override;
  void changes_after(const ReadersView& view, std::uint64_t cursor,
                     const std::function<bool(const VisibleRecord&)>& take) override;
  std::uint64_t digest_of(const ReadersView& view) override;
  std::vector<core::RecordId> left_after(const ReadersView& view, std::uint64_t cursor) override;
  std::vector<Participation> participants(std::int64_t scope, const core::RecordId& record) override;
  std::optional<Participation> participation(std::int64_t scope, const core::PersonId& person,
                                             const core::RecordId& record) override;
  std::vector<core::RecordId> parts_of(std::int64_t scope, const core::RecordId& record) override;
  std::vector<QuarantineRow> quarantined_up_to(std::int64_t device, std::uint64_t last) override;
  void quarantined_between(std::int64_t device, std::uint64_t first, std::uint64_t last,
                           const std::function<void(const QuarantineRow&)>& take) override;
  void batches_between(std::int64_t device, std::uint64_t first, std::uint64_t last,
                       const std::function<void(const BatchRow&)>& take) override;
  std::vector<NamingRecord> records_naming(const ReadersView& view, const core::AttachmentId& id) override;
  std::vector<NamedAttachment> attachments_named(const DeviceRow& device, const core::AttachmentId& id) override;
  bool knows_attachments_version(std::uint64_t version) override;
  void complete_attachments(const std::function<void(const core::AttachmentFile&)>& take) override;
  std::uint32_t upload_bytes(std::int64_t device, const core::AttachmentId& id) override;
  std::vector<core::AttachmentId> uploads_of(std::int64_t device) override;
  std::uint64_t bytes_taken(std::int64_t device, std::int64_t day) override;
  std::optional<EnrolmentCodeRow> enrolment_code(std::string_view id) override;
  std::vector<EnrolmentCodeRow> enrolment_codes() override;
  std::uint32_t wrong_tries(std::string_view id) override;
  std::optional<AuditRow> last_audit_entry() override;
  std::optional<AuditRow> audit_entry(std::uint64_t number) override;
  Sha256 audit_node(unsigned level, std::uint64_t place) override;
  std::uint64_t audit_entry_of_batch(std::int64_t device, std::uint64_t last_counter) override;
  std::uint64_t audit_entry_of_loss(std::uint64_t size, const Sha256& root) override;
  std::vector<BatchRow> batches_without_entry() override;
  Counts counts() override;
  std::string integrity_problem() override;
  std::string setting(std::string_view name) override;

  void put_setting(std::string_view name, std::string_view value) override;
  void put_form(const FormRow& form) override;
  void mark_reference_form(std::string_view name) override;
  void add_scope(const ScopeRow& scope) override;
  void set_epoch(std::int64_t scope, std::uint64_t epoch) override;
  void add_person(const PersonRow& person) override;
  void put_membership(const core::PersonId& person, std::int64_t scope, Role role, ReadingMode mode) override;
  void add_enrolment_code(const EnrolmentCodeRow& code) override;
  void use_enrolment_code(std::string_view id) override;
  void withdraw_enrolment_code(std::string_view id) override;
  void add_wrong_tries(std::string_view id, std::uint32_t tries) override;
  void add_device(const DeviceRow& device) override;
  void revoke_device(std::int64_t device, core::Instant at) override;
  void set_device_position(std::int64_t device, std::uint64_t last_counter, const Sha256& last_batch_hash,
                           core::Instant seen) override;
  void append_batch(const BatchRow& batch) override;
  void set_entry_of_batch(const BatchRow& batch, std::uint64_t entry) override;
  void append_audit_entry(const AuditRow& row) override;
  void put_audit_node(unsigned level, std::uint64_t place, const Sha256& hash) override;
  void note_audit_loss(std::uint64_t size, const Sha256& root, std::uint64_t entry) override;
  void append_operation(const OperationIndexRow& operation) override;
  void quarantine(const QuarantineRow& operation) override;
  void leave_quarantine(std::int64_t device, std::uint64_t counter) override;
  void return_quarantined(std::int64_t device, std::uint64_t counter, std::string_view code,
                          std::string_view message) override;
  void put_record(const RecordRow& record, bool is_new) override;
  void put_conflicts(const core::RecordId& record, const std::vector<core::FieldKey>& open) override;
  bool add_participant(std::int64_t scope, const core::PersonId& person, const core::RecordId& record,
                       std::uint64_t since) override;
  void put_participation(std::int64_t scope, const core::PersonId& person, const core::RecordId& record,
                         std::uint64_t since, PartTaken part) override;
  void put_wholes(std::int64_t scope, const core::RecordId& part, const std::vector<core::RecordId>& of) override;
  void name_attachment(std::int64_t scope, std::int64_t device, const core::RecordId& record,
                       const core::AttachmentFile& file, bool is_proved) override;
  void prove_attachment(const core::PersonId& person, std::int64_t scope, const core::AttachmentFile& file) override;
  std::uint64_t complete_attachment(std::int64_t scope, const core::AttachmentFile& file) override;
  void set_upload_bytes(std::int64_t device, const core::AttachmentId& id, std::uint32_t durable) override;
  void add_bytes_taken(std::int64_t device, std::int64_t day, std::uint64_t bytes) override;
  std::uint64_t advance_scope(std::int64_t scope, std::uint64_t operations, std::uint64_t digest_growth) override;

 private:
  // What a view of somebody's own holds after `cursor`, in order: (seq, since, key, hash).
  struct OwnRecord {
    std::uint64_t seq = 0, since = 0;
    std::int64_t key = 0;
    std::uint64_t hash = 0;
  };
  std::vector<OwnRecord> own_records(const ReadersView& view, std::uint64_t cursor);
  std::uint64_t version(std::string_view name);
  std::uint64_t raise_version(std::string_view name);
  std::uint64_t count(const char* sql);

  sqlite::Connection& connection_;
};

}  // namespace fieldsync::server
