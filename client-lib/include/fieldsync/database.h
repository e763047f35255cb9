// database.h: the client library. One Database is one person's monitoring
// reports on one device: stored locally, edited without a network, and brought
// together with everybody else's by sync().
//
//   auto database = Database::open({.directory = "/data/fieldsync", .credentials = {passphrase}});
//   auto editor = (*database)->create("visit", scope);
//   editor->set("summary", std::string("Cell 4 has no window."));
//   editor->save();                       // durable on this device from here on
//   (*database)->sync({});                // durable at the office when status() says so
//
// What a person sees is always what the server last told, with their own unsent
// edits on top. Nothing that somebody saved is ever overwritten by someone who
// had not seen it: two such values stand side by side as a conflict (conflicts(),
// RecordEditor::resolve()).
//
// Threads    Any thread may call; calls wait for one another. sync() and enrol()
//            block for as long as the network takes, but hold the others up only
//            for moments. Progress arrives on the thread that called sync().
// Errors     Every call that can fail returns a Result. Its code is stable, its
//            message a plain sentence. A failed call has changed nothing, and may
//            be made again, out_of_memory included. Where there is not even memory
//            for what they return, identity() and person_name() throw std::bad_alloc.
// Files      `directory` holds fieldsync.db (SQLite) and its journal, with all content
//            sealed. Exclude it from the device's own cloud backups all the same. One
//            program at a time.
// Memory     While the store is locked, the library holds nothing of what a person wrote
//            but in editors, and in attachments that are being written. Memory that was given back still does, unless
//            the program links fieldsync_zeroing (client-lib/zeroing), whose operators
//            overwrite it. What the app holds itself is the app's to overwrite.
// Ownership  Everything returned is a copy of its own. A RecordEditor must not
//            outlive its Database.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/form.h"
#include "core/id.h"
#include "core/result.h"
#include "core/value.h"
#include "fieldsync/attachment.h"
#include "fieldsync/record.h"
#include "fieldsync/sync.h"

namespace fieldsync {

// Answers a challenge with 32 bytes that only this device's hardware can compute, the same
// each time: for example an HMAC with a key of the Android Keystore or the Secure Enclave.
// May ask the person for their fingerprint. Called by unlock() and what changes the
// credentials, on their thread; other calls do not wait for it.
using HardwareKey = std::function<Result<std::string>(std::string_view challenge)>;

// What opens a store. A passphrase alone should be five words or more: a PIN only together
// with a hardware key. Both given to a new store are both needed from then on.
struct Credentials {
  std::string passphrase{};  // UTF-8, up to 1,024 bytes; empty for none
  HardwareKey hardware_key{};
};

enum class LockState : std::uint8_t {
  fresh,   // a new store: the first unlock() decides what opens it
  locked,  // nothing can be read or saved
  unlocked,
};

struct OpenOptions {
  std::string directory{};
  bool create = true;         // make the store where there is none
  Credentials credentials{};  // unlocks the store; without any it stays locked
  // Without any call for so long the store locks itself, on a thread of its own. Calls of an
  // open editor and a sync that runs count as use, but not the syncs of BackgroundSync that
  // nobody asked for (SyncOptions::counts_as_use). The time that the device sleeps may not
  // count: lock() when the app leaves the screen. 0: never.
  std::chrono::seconds lock_after{300};
  // Where an app ended without closing the store, what it saved last is in the journal, fieldsync.db-wal. If that was
  // taken away, the store does not open (journal_missing) but with this: ask the person first. What is not there any
  // more is lost, unless the office has it. Another program that opened the file may have moved all of the journal into
  // it: then nothing is lost, and this is needed all the same.
  bool accept_missing_journal = false;
};

// Who this store belongs to.
struct Identity {
  core::DeviceId device;
  bool enrolled = false;
  core::PersonId person;  // none before enrolment
  std::string person_name;
  std::string server;  // "host:port", empty before enrolment
};

struct ScopeInfo {
  core::ScopeId id;
  std::string name;
  // "monitor", "coordinator", "case_handler", "board", "administrator"; "none" in a scope that the person
  // left, until what waits there was sent.
  std::string role;
  std::uint64_t records = 0;
  // Equal on every replica that stands at the same point and has nothing unsent.
  std::uint64_t digest = 0;
};

// Which records to list. Empty members do not restrict.
struct Query {
  std::string form{};
  std::optional<core::ScopeId> scope{};
  // Substring of any shown text, compared in NFC and without regard to case.
  std::string text{};
  // A reference field by name, and the record that it must point to.
  std::string reference_field{};
  std::optional<core::RecordId> reference{};
  bool include_deleted = false;
  std::size_t limit = SIZE_MAX;
};

class Database {
 public:
  // not_found: no store there and `create` is false. in_use: another program has
  // it. storage_corrupt, storage_too_new: the file stays exactly as it is. With credentials, what unlock() says. wiped:
  // a wipe() had not come to its end, and now has.
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(const OpenOptions& options);

  // Destroys the store in this folder for ever, locked or not, without any passphrase: first
  // its keys, durably, within moments; then its files. On a disk that has no room left, and
  // where the file is damaged or was never sealed, all of it is overwritten. Close it before. Where it ends early, a
  // store whose keys are gone is deleted by the next wipe() or open(). in_use: a program has
  // it open. not_found: there is none. On flash memory old blocks may be read for a while
  // after: a strong passphrase is what protects them.
  [[nodiscard]] static Result<void> wipe(const std::string& directory);

  virtual ~Database() = default;

  [[nodiscard]] virtual LockState lock_state() = 0;
  // Makes the store readable. A fresh one takes these credentials as its own: ask the
  // person for a new passphrase twice. Takes about a second where there is a passphrase.
  // wrong_passphrase. invalid_argument: no credentials, or a passphrase that is too long
  // or no UTF-8; where it is unlocked already, they are checked all the same. storage_corrupt: the store is not as it
  // was last written: rows were put back, swapped or altered. journal_missing: as OpenOptions says; open it anew, also
  // where the journal was put back. Nothing is changed.
  [[nodiscard]] virtual Result<void> unlock(const Credentials& credentials) = 0;
  // From now on `added` opens the store too: up to eight ways. Pre: it is unlocked; `known`
  // is asked for once more. What opens it already is not added again. wrong_passphrase.
  // too_many_slots. invalid_argument. in_use: another thread changed them meanwhile.
  [[nodiscard]] virtual Result<void> add_credentials(const Credentials& known, const Credentials& added) = 0;
  // ... `added` in the place of `known`, at once: another passphrase. Who has an older copy
  // of the store and the older passphrase still opens that copy.
  [[nodiscard]] virtual Result<void> replace_credentials(const Credentials& known, const Credentials& added) = 0;
  // `known` opens the store no more. invalid_argument: nothing else would.
  [[nodiscard]] virtual Result<void> remove_credentials(const Credentials& known) = 0;
  // Forgets the keys at once; a sync that runs is cancelled, and waited for. Every other call answers `locked` from
  // then on, save() of an open editor too: it keeps what was typed until it can be saved.
  virtual void lock() = 0;

  // Binds this device to a person at a server, once, with the text that the
  // coordinator's `fieldsync-server enrol-code` printed. Where the answer was lost, the
  // same text or a new one for the same person answers again. After device_forked a second
  // time, as a new device of the same person: nothing that was saved is lost, and
  // editors that are open must be opened again. After unknown_device once more too, as
  // the same device. The same text once more changes nothing.
  // invalid_argument: not such a text. server_untrusted: another server answered.
  // enrolment_code_invalid: wrong, used or expired. in_use: a sync is running.
  // device_already_enrolled: for another person. device_revoked. not_permitted: the
  // store is enrolled, and the text is of another server or for another person; what is
  // saved here stays its person's. Brings no records: sync() does.
  [[nodiscard]] virtual Result<Identity> enrol(const std::string& enrolment, const std::string& device_name) = 0;
  // As last read, where the store cannot be read just now.
  [[nodiscard]] virtual Identity identity() = 0;
  // The server moved: "host:port". Its key must be the one known since enrolment.
  [[nodiscard]] virtual Result<void> set_server(const std::string& address) = 0;

  // As the last sync brought them, by name.
  [[nodiscard]] virtual Result<std::vector<core::Form>> forms() = 0;
  [[nodiscard]] virtual Result<core::Form> form(std::string_view name) = 0;
  [[nodiscard]] virtual Result<std::vector<ScopeInfo>> scopes() = 0;
  // Display name of a person; their id in short where it is not known.
  [[nodiscard]] virtual std::string person_name(const core::PersonId& person) = 0;

  // A new record, not stored before the editor's first save().
  // unknown_form, scope_not_found.
  [[nodiscard]] virtual Result<RecordEditor> create(std::string_view form, const core::ScopeId& scope) = 0;
  // Opens a record for editing: what is on the screen now is what later writes
  // replace, however much sync() brings in between. not_found.
  [[nodiscard]] virtual Result<RecordEditor> edit(const core::RecordId& record) = 0;

  // not_found. Deleted records are found, with `deleted` set.
  [[nodiscard]] virtual Result<RecordView> read(const core::RecordId& record) = 0;
  // Newest change first.
  [[nodiscard]] virtual Result<std::vector<RecordView>> query(const Query& query) = 0;
  // The record whose id begins with these hexadecimal digits. not_found, ambiguous.
  [[nodiscard]] virtual Result<core::RecordId> find_by_prefix(std::string_view hex) = 0;

  // Everything that waits for a person's decision.
  [[nodiscard]] virtual Result<std::vector<Conflict>> conflicts() = 0;

  // Hides the record as far as this device has seen it; an edit by somebody who
  // did not know stays visible, flagged. Undone by restore_record().
  [[nodiscard]] virtual Result<void> delete_record(const core::RecordId& record) = 0;
  [[nodiscard]] virtual Result<void> restore_record(const core::RecordId& record) = 0;

  // Whether an attachment of so many bytes can be added: ask before the photo is taken.
  // storage_full, with what is free and what it takes. value_too_large: more than 64 MiB.
  [[nodiscard]] virtual Result<void> space_for(std::uint64_t bytes) = 0;
  // invalid_text: a name or a media type that cannot be. value_too_large: the preview.
  [[nodiscard]] virtual Result<AttachmentWriter> add_attachment(const NewAttachment& attachment) = 0;
  // attachment_not_here: its bytes are not all on this device.
  [[nodiscard]] virtual Result<AttachmentReader> open_attachment(const core::AttachmentId& id) = 0;
  // It comes with the next sync, or goes on coming. `record` holds the value. Nothing
  // happens where it is here. not_found: there is no such record.
  [[nodiscard]] virtual Result<void> fetch_attachment(const core::RecordId& record,
                                                      const core::Attachment& attachment) = 0;
  // Frees the room that its bytes take here; fetch_attachment() brings them back.
  // not_safe_to_erase: the office does not have them all.
  [[nodiscard]] virtual Result<void> free_attachment(const core::AttachmentId& id) = 0;
  // Of which bytes are here or wanted, the oldest first; previews too.
  [[nodiscard]] virtual Result<std::vector<AttachmentInfo>> attachments() = 0;

  // Sends what is unsent and brings what is new, until nothing is left or the
  // link gives up. What was acknowledged before a failure stays acknowledged.
  // not_enrolled, offline, server_untrusted, cancelled, ...
  // wiped: the office withdrew this device's access (SyncReport::revoked). All that was saved here was handed in to
  // it, with its attachments, and then the keys of this store were destroyed: nothing of it can be read any more. What
  // an open editor holds, and attachments that no save names, are gone. The next open() or wipe() deletes the files.
  // device_forked: another copy of this store was used, and the office has other saves
  // under this device's numbers. Editing goes on; enrol() with a new code is the way out.
  [[nodiscard]] virtual Result<SyncReport> sync(const SyncOptions& options) = 0;
  // From any thread: the running sync() or enrol() returns `cancelled`, at once but for a
  // host's name that is being looked up.
  virtual void cancel_sync() = 0;

  [[nodiscard]] virtual Result<Status> status() = 0;
  // Operations that the office could not apply, each with its reason, and that nobody settled.
  [[nodiscard]] virtual Result<std::vector<RefusedOperation>> refused() = 0;
  // Another try: the editor holds what was refused as if it had just been typed, over what is
  // on the screen now. Put right what the reason names; save() sends it as a new operation and
  // settles the refusal. Counts are to be entered again. `into`: as a new record of this
  // scope. not_found: no such refusal, or none any more, which save() may say too.
  // unknown_form, scope_not_found.
  [[nodiscard]] virtual Result<RecordEditor> amend(const core::OperationId& refused,
                                                   const std::optional<core::ScopeId>& into) = 0;
  // Lets it be: the office keeps it in quarantine, and here it is not shown any more. not_found.
  [[nodiscard]] virtual Result<void> settle_refusal(const core::OperationId& refused) = 0;
};

}  // namespace fieldsync
