#include "core/errc.h"

#include <algorithm>
#include <array>

#include "core/check.h"

namespace fieldsync {
namespace {

constexpr auto table = std::to_array<ErrcEntry>({
    {Errc::malformed_request, "malformed_request", 400, false, "The request could not be read."},
    {Errc::unsupported_protocol_version, "unsupported_protocol_version", 400, false,
     "This version of the app is not understood by the server. Update the app."},
    {Errc::unsupported_media_type, "unsupported_media_type", 415, false,
     "The body must be application/x-protobuf or application/json."},
    {Errc::unsupported_encoding, "unsupported_encoding", 415, false,
     "The body or a frame is encoded in a way that is not accepted."},
    {Errc::length_required, "length_required", 411, false, "The request needs one Content-Length."},
    {Errc::header_too_large, "header_too_large", 431, false, "The request's header is too large."},
    {Errc::uri_too_long, "uri_too_long", 414, false, "The request's target is too long."},
    {Errc::http_version_not_supported, "http_version_not_supported", 505, false, "The server speaks HTTP/1.1."},
    {Errc::not_implemented, "not_implemented", 501, false, "The server does not do that."},
    {Errc::expectation_failed, "expectation_failed", 417, false, "The server meets no such expectation."},
    {Errc::request_too_large, "request_too_large", 413, false, "The request is too large."},
    {Errc::too_many_elements, "too_many_elements", 413, false,
     "The request holds too many operations or values, or nests too deeply."},
    {Errc::unknown_endpoint, "unknown_endpoint", 404, false, "There is nothing at this address."},
    {Errc::method_not_allowed, "method_not_allowed", 405, false, "This address does not take that method."},
    {Errc::bad_cursor, "bad_cursor", 400, false, "The cursor was not given to this device by this server."},
    {Errc::bad_signature, "bad_signature", 422, false,
     "The batch's signature is not the device's. Nothing was stored."},
    {Errc::batch_chain_broken, "batch_chain_broken", 409, false,
     "The batch does not follow the last one of this device. Nothing was stored."},
    {Errc::malformed_operation, "malformed_operation", 422, false, "The operation could not be read."},
    {Errc::unknown_form, "unknown_form", 422, false,
     "The server does not have this form. Ask the office to import it."},
    {Errc::unknown_field, "unknown_field", 422, false, "The form has no such field."},
    {Errc::wrong_value_type, "wrong_value_type", 422, false, "The value is not of the field's type."},
    {Errc::value_out_of_range, "value_out_of_range", 422, false, "The value is outside what the form allows."},
    {Errc::value_too_large, "value_too_large", 422, false, "The value is larger than the limit."},
    {Errc::invalid_text, "invalid_text", 422, false, "The text is not valid UTF-8 or holds control characters."},
    {Errc::wrong_context, "wrong_context", 422, false, "The record belongs to another form or scope."},
    {Errc::not_supported_yet, "not_supported_yet", 422, false,
     "This server does not do that yet. The operation is kept."},
    {Errc::must_be_sealed, "must_be_sealed", 422, false,
     "This field may only be stored sealed, which this version cannot do yet. Nothing was stored."},
    {Errc::unknown_device, "unknown_device", 401, false,
     "This device is not enrolled here. Ask a coordinator for a code and enrol it."},
    {Errc::device_revoked, "device_revoked", 401, false,
     "This device's access was withdrawn. Speak to your coordinator."},
    {Errc::device_already_enrolled, "device_already_enrolled", 409, false,
     "This device is enrolled already, for another person."},
    {Errc::enrolment_code_invalid, "enrolment_code_invalid", 401, false,
     "The code is wrong, used or expired. Ask the coordinator for a new one."},
    {Errc::scope_not_found, "scope_not_found", 404, false, "There is no such scope for this device."},
    {Errc::not_permitted, "not_permitted", 403, false, "Your role in this scope does not allow that."},
    {Errc::not_found, "not_found", 404, false, "There is no such thing here."},
    {Errc::timeout, "timeout", 408, true, "The other side took too long."},
    {Errc::overloaded, "overloaded", 503, true, "The server is busy. Try again in a moment."},
    {Errc::storage_full, "storage_full", 507, true, "The disk is full. Make room; nothing was lost."},
    {Errc::storage_failed, "storage_failed", 500, true,
     "The disk could not be read or written. Try again; what was saved before is still there."},
    {Errc::storage_corrupt, "storage_corrupt", 500, false,
     "The database is damaged. Keep the file and restore a backup beside it."},
    {Errc::journal_missing, "journal_missing", 0, false,
     "The store's journal, fieldsync.db-wal, is gone or empty, and perhaps with it what was saved last. "
     "Put it back beside fieldsync.db, and open the store again."},
    {Errc::storage_too_new, "storage_too_new", 500, false,
     "The database was made by a newer version. Update this program."},
    {Errc::in_use, "in_use", 0, true, "Another program has this store open. Close it first."},
    {Errc::internal_error, "internal_error", 500, true,
     "Something went wrong at the server. The request id helps to find it."},
    {Errc::offline, "offline", 0, true, "The server cannot be reached. Everything stays saved here."},
    {Errc::server_untrusted, "server_untrusted", 0, false,
     "The server that answered is not the one that this device was enrolled with. Nothing was sent."},
    {Errc::connection_lost, "connection_lost", 0, true,
     "The connection broke. What was acknowledged is safe; the rest stays here."},
    {Errc::cancelled, "cancelled", 0, true, "Cancelled. What was acknowledged is safe; the rest stays here."},
    {Errc::not_enrolled, "not_enrolled", 0, false, "This store is not enrolled with a server yet."},
    {Errc::invalid_argument, "invalid_argument", 0, false, "An argument is not valid."},
    {Errc::ambiguous, "ambiguous", 0, false, "More than one thing matches. Give more letters."},
    {Errc::incompatible_server, "incompatible_server", 0, false,
     "The server answered in a way that this version does not understand."},
    {Errc::out_of_memory, "out_of_memory", 503, true,
     "There was not enough memory. Nothing of this was stored; try again."},
    {Errc::device_forked, "device_forked", 409, false,
     "The office already has other saves under this device's numbers: this is an older copy of its store, or a second "
     "one. "
     "Everything stays saved here. Ask the coordinator for a new code and enrol again; what the office lacks is sent "
     "then."},
    {Errc::locked, "locked", 0, false, "The store is locked. Unlock it with its passphrase first."},
    {Errc::wrong_passphrase, "wrong_passphrase", 0, false,
     "The store does not open with that passphrase or hardware key. Nothing was changed."},
    {Errc::too_many_slots, "too_many_slots", 0, false,
     "The store has eight ways to be opened already. Remove one first."},
    {Errc::wiped, "wiped", 0, false, "This store was wiped. Nothing of it can be read any more."},
    {Errc::attachment_damaged, "attachment_damaged", 422, true,
     "The bytes of the attachment are not those that its name promises. They are sent again from the beginning."},
    {Errc::upload_limit, "upload_limit", 429, true,
     "This device has sent as much today as the office takes in a day. The rest stays here and goes tomorrow."},
    {Errc::read_limit, "read_limit", 429, true,
     "This device has read as much today as the office tells a device in a day. What is here stays; the rest comes "
     "tomorrow."},
    {Errc::attachment_not_here, "attachment_not_here", 0, false,
     "The attachment is not on this device yet. Ask for it, and sync."},
    {Errc::not_safe_to_erase, "not_safe_to_erase", 0, false,
     "The office does not have all of it yet: nothing was erased. Sync first."},
    {Errc::range_not_satisfiable, "range_not_satisfiable", 416, false,
     "The range begins behind the last byte of the attachment."},
    {Errc::too_many_attempts, "too_many_attempts", 429, true,
     "Too many wrong codes were tried. Wait 15 minutes; where this code is refused again, ask the coordinator for a "
     "new one."},
    {Errc::returned, "returned", 0, false, "The office returned the save to its author, to be put right."},
    {Errc::superseded, "superseded", 0, false,
     "Its device has saved the record again since, on what it saw without this save. Return it to its author."},
    {Errc::history_shortened, "history_shortened", 0, false,
     "The office shows a shorter history than before, and does not say that it was set back. Nothing was taken from "
     "it, and everything stays saved here. Go on working, keep this device, and tell somebody outside that office."},
    {Errc::history_forked, "history_forked", 0, false,
     "The office shows another history than before: what it said once was changed. Nothing was taken from it, and "
     "everything stays saved here. Go on working, keep this device, and tell somebody outside that office."},
    {Errc::history_key_changed, "history_key_changed", 0, false,
     "The office's history is signed by another key than before. Nothing was taken from it, and everything stays "
     "saved here. Ask the office for its fingerprint by another way; where the new key is right, enrol again."},
    {Errc::receipt_invalid, "receipt_invalid", 0, false,
     "The office says that it has what was sent, and does not prove that it stands in its history. It does not count "
     "as sent, and everything stays saved here. Tell the office; keep this device."},
});

}  // namespace

const ErrcEntry& describe(Errc code) {
  const auto at = std::find_if(table.begin(), table.end(), [&](const ErrcEntry& entry) { return entry.code == code; });
  FIELDSYNC_CHECK(at != table.end(), "every code has its row");
  return *at;
}

std::optional<Errc> errc_from_name(std::string_view name) {
  const auto at = std::find_if(table.begin(), table.end(), [&](const ErrcEntry& entry) { return entry.name == name; });
  if (at == table.end()) return std::nullopt;
  return at->code;
}

std::span<const ErrcEntry> all_errors() { return table; }

}  // namespace fieldsync
