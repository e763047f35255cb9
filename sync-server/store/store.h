// store.h: what the server asks of a database. No other server code names one.
//
// Threads  A Store serves every thread of the blocking pool at once. Each call
//          may wait, so none is made on an I/O thread. A transaction stays on the
//          thread that runs its body.
// Errors   in_use, storage_failed, storage_full: nothing was written, the call may
//          be repeated. storage_corrupt: stop serving and tell the operator.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.h"
#include "core/result.h"
#include "core/time.h"
#include "core/value.h"

namespace fieldsync::server {

// Numbers as on the wire (sync.proto).
enum class Role : std::uint8_t { none = 0, monitor, coordinator, case_handler, board, administrator };
enum class ReadingMode : std::uint8_t { scope = 0, own };

[[nodiscard]] std::string_view name_of(Role role);
[[nodiscard]] std::optional<Role> role_from_name(std::string_view name);

using Sha256 = std::array<std::uint8_t, 32>;

struct ScopeRow {
  std::int64_t key = 0;  // the database's own number for it
  core::ScopeId id;
  std::string name;
  std::uint64_t head = 0;    // seq of the newest operation
  std::uint64_t digest = 0;  // sum of the records' hashes
  std::uint64_t epoch = 0;   // identity of this history
};

struct PersonRow {
  core::PersonId id;
  std::string name;
};

struct MembershipRow {
  ScopeRow scope;
  Role role = Role::none;
  ReadingMode mode = ReadingMode::scope;
};

struct DeviceRow {
  std::int64_t key = 0;
  core::DeviceId id;
  std::string public_key;  // Ed25519, 32 bytes
  PersonRow person;
  std::string name;
  std::uint64_t last_counter = 0;
  Sha256 last_batch_hash{};
  core::Instant enrolled;
  std::optional<core::Instant> revoked;
  std::optional<core::Instant> seen;
};

struct RecordRow {
  core::RecordId id;
  std::int64_t scope = 0;  // ScopeRow::key
  std::string form;
  // A device that has read less gets the whole record, not its changed fields.
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
  std::string head;        // canonical bytes
  std::string body_frame;  // zstd
  std::uint64_t hash = 0;
};

// What of a scope somebody reads.
struct ReadersView {
  std::int64_t scope = 0;  // ScopeRow::key
  // Only records in which this person takes part, and reference data; else all.
  std::optional<core::PersonId> own_of;
};

// A record in a view. Where its reader came to it later than it last changed, it counts as changed then.
struct VisibleRecord {
  RecordRow row;
  // The place in the scope's order at which the reader came to it; 0 where it was always theirs.
  std::uint64_t since = 0;

  [[nodiscard]] std::uint64_t seq() const { return since > row.last_seq ? since : row.last_seq; }
};

enum class PartTaken : std::uint8_t {
  now = 0,
  once = 1,
  never = 2,  // the office accepted words of theirs
};

// A person and a record. It changes only as the office's order of commits goes on, in which `since` is a place.
struct Participation {
  PersonRow person;
  std::uint64_t since = 0;
  PartTaken part = PartTaken::now;

  [[nodiscard]] bool is_gone() const { return part != PartTaken::now; }
};

struct BatchRow {
  std::int64_t device = 0;
  std::uint64_t first_counter = 0;
  std::uint64_t last_counter = 0;
  Sha256 hash{};
  Sha256 previous{};
  std::uint8_t encoding = 0;
  std::string_view signature;
  std::string_view content;
  core::Instant received;
  std::uint64_t entry = 0;  // number of the audit log's entry that tells of it
};

// An entry of the audit log with the checkpoint that follows it (service/audit_log.h).
struct AuditRow {
  std::uint64_t number = 0;  // from 1 on, and so the checkpoint's size
  core::Instant time;
  std::string entry;
  Sha256 root{};
  std::string signature;
};

struct OperationIndexRow {
  std::int64_t scope = 0;
  std::uint64_t seq = 0;
  std::int64_t device = 0;
  std::uint64_t counter = 0;
  core::RecordId record;
  core::Instant effective;
  core::Instant received;
};

struct QuarantineRow {
  std::int64_t device = 0;
  std::uint64_t counter = 0;
  std::string code;
  std::string message;
  std::string_view operation;
  core::Instant received;
  core::Milliseconds clock_offset;  // of its arrival
  std::string refused_for{};        // where it was returned: the code before that
};

struct FormRow {
  std::string name;
  std::uint32_t version = 0;
  std::string bytes;
  bool is_reference_data = false;
};

struct EnrolmentCodeRow {
  std::string id;  // names it, and is no secret
  Sha256 hash{};   // of the whole code
  core::PersonId person;
  core::Instant expires;
  bool used = false;
  bool withdrawn = false;
};

// A file, an attachment or a preview, that an operation names.
struct NamedAttachment {
  std::int64_t scope = 0;  // ScopeRow::key; quarantine_of() the device where the operation was not applied
  Role role = Role::none;  // there, of the person who asks; none where they are no member
  bool is_own = false;     // the operation is of the person who asks
  ReadingMode mode = ReadingMode::scope;  // there, of the person who asks
  // A record names it in which the person takes part, or reference data, and who wrote that had it.
  bool takes_part = false;
  std::uint32_t size = 0;  // as the operation says; it may be wrong
  // Its bytes came, and were what the name promises: the version at which they had; else 0.
  std::uint64_t version = 0;

  [[nodiscard]] bool is_complete() const { return version != 0; }
};

// A record whose operations name a file.
struct NamingRecord {
  core::RecordId id;
  std::string form;
  std::uint64_t last_seq = 0;
};

// Where the files of a device's operations in quarantine stand: no scope has this key.
[[nodiscard]] constexpr std::int64_t quarantine_of(std::int64_t device) { return -device; }

struct Counts {
  std::uint64_t records = 0, operations = 0, open_conflicts = 0, quarantined = 0;
  std::uint64_t attachments_held = 0, attachments_awaited = 0;
};

class ReadTransaction {
 public:
  virtual ~ReadTransaction() = default;

  // Version of the forms, and of people, scopes and memberships; each grows with
  // every change, by a random amount: a database that was started from an older copy
  // does not come to the versions that it lost. 0 before the first change.
  virtual std::uint64_t forms_version() = 0;
  virtual std::uint64_t directory_version() = 0;
  // What changed after `version`; all of them where no form stands as it was changed by
  // that version, which may then be a lost one.
  virtual std::vector<FormRow> forms_since(std::uint64_t version) = 0;
  virtual std::optional<FormRow> form(std::string_view name) = 0;

  virtual std::vector<ScopeRow> scopes() = 0;
  virtual std::optional<ScopeRow> scope(const core::ScopeId& id) = 0;
  virtual std::optional<ScopeRow> scope_by_key(std::int64_t key) = 0;
  virtual std::vector<PersonRow> people() = 0;
  // Everybody whose name a reader of the view sees: who is or was in the scope; in the mode `own` who takes or took
  // part in the same records, and the reader.
  virtual std::vector<PersonRow> people_seen_in(const ReadersView& view) = 0;
  virtual std::vector<MembershipRow> memberships(const core::PersonId& person) = 0;

  virtual std::optional<DeviceRow> device_by_id(const core::DeviceId& id) = 0;
  virtual std::vector<DeviceRow> devices() = 0;

  virtual std::optional<RecordRow> record(const core::RecordId& id) = 0;
  // The form's records with open conflicts.
  virtual std::vector<core::RecordId> records_in_conflict(std::string_view form) = 0;
  // The form's records, all of them.
  virtual std::vector<core::RecordId> records_of(std::string_view form) = 0;
  // Records of the view that changed, or came into it, after `cursor`, in that order, until `take`
  // returns false.
  virtual void changes_after(const ReadersView& view, std::uint64_t cursor,
                             const std::function<bool(const VisibleRecord&)>& take) = 0;
  // The sum of their hashes, modulo 2^64. Pre: the view is of one person's own; a scope keeps its digest.
  virtual std::uint64_t digest_of(const ReadersView& view) = 0;
  // Records that went out of the person's view after `cursor`. Pre: the view is of one person's own.
  virtual std::vector<core::RecordId> left_after(const ReadersView& view, std::uint64_t cursor) = 0;

  // Everybody who takes part in the record, or did.
  virtual std::vector<Participation> participants(std::int64_t scope, const core::RecordId& record) = 0;
  virtual std::optional<Participation> participation(std::int64_t scope, const core::PersonId& person,
                                                     const core::RecordId& record) = 0;
  // The records of the scope that are part of this one (Form::part_of).
  virtual std::vector<core::RecordId> parts_of(std::int64_t scope, const core::RecordId& record) = 0;

  // The device's operations up to `last` that went to quarantine, in the order of
  // their counters; without their bytes and times.
  virtual std::vector<QuarantineRow> quarantined_up_to(std::int64_t device, std::uint64_t last) = 0;

  // The same, between two counters, whole; the bytes live only while `take` runs.
  virtual void quarantined_between(std::int64_t device, std::uint64_t first, std::uint64_t last,
                                   const std::function<void(const QuarantineRow&)>& take) = 0;

  // The device's batches that hold any of these counters, oldest first. Their
  // content and signature live only while `take` runs.
  virtual void batches_between(std::int64_t device, std::uint64_t first, std::uint64_t last,
                               const std::function<void(const BatchRow&)>& take) = 0;

  // What the scopes of the device's person say of this file, and what the person's own devices named, the
  // smallest size first. The same scope may stand there twice. Of a device that is revoked only the latter.
  virtual std::vector<NamedAttachment> attachments_named(const DeviceRow& device, const core::AttachmentId& id) = 0;
  // Records of the view, without reference data in the mode `own`, whose operations name this file.
  virtual std::vector<NamingRecord> records_naming(const ReadersView& view, const core::AttachmentId& id) = 0;
  // Whether an attachment became complete at this version, in the history that this database has; true of 0 and 1,
  // which name none.
  virtual bool knows_attachments_version(std::uint64_t version) = 0;
  // Each file that a scope has whole, once.
  virtual void complete_attachments(const std::function<void(const core::AttachmentFile&)>& take) = 0;
  // How much of the device's upload is on stable storage.
  virtual std::uint32_t upload_bytes(std::int64_t device, const core::AttachmentId& id) = 0;
  // Of which files something is on stable storage that the device has not sent to the end.
  virtual std::vector<core::AttachmentId> uploads_of(std::int64_t device) = 0;
  // How much was taken of the device on this day (UTC, since 1970).
  virtual std::uint64_t bytes_taken(std::int64_t device, std::int64_t day) = 0;

  virtual std::optional<EnrolmentCodeRow> enrolment_code(std::string_view id) = 0;
  // The newest expiry first.
  virtual std::vector<EnrolmentCodeRow> enrolment_codes() = 0;
  // Of a code with this id, whether there is one or not.
  virtual std::uint32_t wrong_tries(std::string_view id) = 0;

  // The audit log's newest entry; nothing where it is empty.
  virtual std::optional<AuditRow> last_audit_entry() = 0;
  virtual std::optional<AuditRow> audit_entry(std::uint64_t number) = 0;
  // The hash of a complete subtree of the log (audit/merkle.h).
  virtual Sha256 audit_node(unsigned level, std::uint64_t place) = 0;
  // The entry of the device's batch that ends with this counter; 0 where there is none.
  virtual std::uint64_t audit_entry_of_batch(std::int64_t device, std::uint64_t last_counter) = 0;
  // The entry that admits the loss of this checkpoint; 0 where there is none.
  virtual std::uint64_t audit_entry_of_loss(std::uint64_t size, const Sha256& root) = 0;
  // Every batch without an entry, in the order in which they came, without signature and content.
  virtual std::vector<BatchRow> batches_without_entry() = 0;

  virtual Counts counts() = 0;
  // Runs the engine's own consistency check: empty when all is well.
  virtual std::string integrity_problem() = 0;
  // The server's own settings, for example its cursor key; empty where unset.
  virtual std::string setting(std::string_view name) = 0;
};

class WriteTransaction : public ReadTransaction {
 public:
  virtual void put_setting(std::string_view name, std::string_view value) = 0;
  virtual void put_form(const FormRow& form) = 0;
  // What a database that was made before the mark existed says of a form that it has.
  virtual void mark_reference_form(std::string_view name) = 0;

  virtual void add_scope(const ScopeRow& scope) = 0;
  virtual void set_epoch(std::int64_t scope, std::uint64_t epoch) = 0;
  virtual void add_person(const PersonRow& person) = 0;
  // Role none ends the membership.
  virtual void put_membership(const core::PersonId& person, std::int64_t scope, Role role, ReadingMode mode) = 0;

  // Wrong tries from before there was one of this name do not count against it.
  virtual void add_enrolment_code(const EnrolmentCodeRow& code) = 0;
  virtual void use_enrolment_code(std::string_view id) = 0;
  virtual void withdraw_enrolment_code(std::string_view id) = 0;
  // Writes to the disk also where there are none.
  virtual void add_wrong_tries(std::string_view id, std::uint32_t tries) = 0;
  virtual void add_device(const DeviceRow& device) = 0;
  virtual void revoke_device(std::int64_t device, core::Instant at) = 0;
  // The last counter moves in the transaction that applies the operations.
  virtual void set_device_position(std::int64_t device, std::uint64_t last_counter, const Sha256& last_batch_hash,
                                   core::Instant seen) = 0;

  virtual void append_batch(const BatchRow& batch) = 0;
  virtual void set_entry_of_batch(const BatchRow& batch, std::uint64_t entry) = 0;
  virtual void append_audit_entry(const AuditRow& row) = 0;
  virtual void put_audit_node(unsigned level, std::uint64_t place, const Sha256& hash) = 0;
  virtual void note_audit_loss(std::uint64_t size, const Sha256& root, std::uint64_t entry) = 0;
  virtual void append_operation(const OperationIndexRow& operation) = 0;
  virtual void quarantine(const QuarantineRow& operation) = 0;
  // It was applied after all.
  virtual void leave_quarantine(std::int64_t device, std::uint64_t counter) = 0;
  // From now on its author is told `code` and `message`.
  virtual void return_quarantined(std::int64_t device, std::uint64_t counter, std::string_view code,
                                  std::string_view message) = 0;
  virtual void put_record(const RecordRow& record, bool is_new) = 0;
  virtual void put_conflicts(const core::RecordId& record, const std::vector<core::FieldKey>& open) = 0;
  // True where the person neither took part in it nor had left it: now they do.
  virtual bool add_participant(std::int64_t scope, const core::PersonId& person, const core::RecordId& record,
                               std::uint64_t since) = 0;
  virtual void put_participation(std::int64_t scope, const core::PersonId& person, const core::RecordId& record,
                                 std::uint64_t since, PartTaken part) = 0;
  // The record is part of these, and of no others.
  virtual void put_wholes(std::int64_t scope, const core::RecordId& part, const std::vector<core::RecordId>& of) = 0;
  // The record's operation names it. `is_proved`: who wrote that could read it before; else naming it gives nobody
  // a right to read it until its bytes come from them.
  virtual void name_attachment(std::int64_t scope, std::int64_t device, const core::RecordId& record,
                               const core::AttachmentFile& file, bool is_proved) = 0;
  // Its bytes came from the person: what they named it in is proved.
  virtual void prove_attachment(const core::PersonId& person, std::int64_t scope, const core::AttachmentFile& file) = 0;
  // The version at which it is: a new one where it was not yet. Pre: the scope names it.
  virtual std::uint64_t complete_attachment(std::int64_t scope, const core::AttachmentFile& file) = 0;
  // 0 ends the upload.
  virtual void set_upload_bytes(std::int64_t device, const core::AttachmentId& id, std::uint32_t durable) = 0;
  // Forgets other days.
  virtual void add_bytes_taken(std::int64_t device, std::int64_t day, std::uint64_t bytes) = 0;
  // UPDATE ... RETURNING head: within a scope commit order is sequence order.
  virtual std::uint64_t advance_scope(std::int64_t scope, std::uint64_t operations, std::uint64_t digest_growth) = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  // Runs `body` in one transaction and returns after it is on stable storage.
  // Bodies of several callers may share one sync to disk; each takes effect whole
  // or, where it returns an error, not at all. `body` touches nothing but the
  // transaction and its own result.
  virtual Result<void> write(const std::function<Result<void>(WriteTransaction&)>& body) = 0;
  // A consistent view.
  virtual Result<void> read(const std::function<Result<void>(ReadTransaction&)>& body) = 0;
};

}  // namespace fieldsync::server
