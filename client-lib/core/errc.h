// errc.h: every refusal and failure of fieldsync, once. The table in errc.cpp
// gives each its stable name, its HTTP status and whether to try again.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace fieldsync {

enum class Errc {
  // The request or the data is wrong; the same again will fail again.
  malformed_request = 1,
  unsupported_protocol_version,
  unsupported_media_type,
  unsupported_encoding,
  length_required,
  header_too_large,
  uri_too_long,
  http_version_not_supported,
  not_implemented,
  expectation_failed,
  request_too_large,
  too_many_elements,
  unknown_endpoint,
  method_not_allowed,
  bad_cursor,
  bad_signature,
  batch_chain_broken,
  malformed_operation,
  unknown_form,
  unknown_field,
  wrong_value_type,
  value_out_of_range,
  value_too_large,
  invalid_text,
  wrong_context,
  not_supported_yet,
  must_be_sealed,
  // Who may do what.
  unknown_device,
  device_revoked,
  device_already_enrolled,
  enrolment_code_invalid,
  scope_not_found,
  not_permitted,
  not_found,
  // The place is not in order.
  timeout,
  overloaded,
  storage_full,
  storage_failed,
  storage_corrupt,
  journal_missing,
  storage_too_new,
  in_use,
  internal_error,
  // On the device.
  offline,
  server_untrusted,
  connection_lost,
  cancelled,
  not_enrolled,
  invalid_argument,
  ambiguous,
  incompatible_server,
  // Either side; at the end, because numbers stay.
  out_of_memory,
  device_forked,
  locked,
  wrong_passphrase,
  too_many_slots,
  wiped,
  attachment_damaged,
  upload_limit,
  read_limit,
  attachment_not_here,
  not_safe_to_erase,
  range_not_satisfiable,
  too_many_attempts,
  returned,
  superseded,
  history_shortened,
  history_forked,
  history_key_changed,
  receipt_invalid,
};

struct ErrcEntry {
  Errc code;
  std::string_view name;      // stable, on the wire and in logs
  int http_status;            // 0 where it never travels
  bool retry;                 // the same request may succeed later
  std::string_view sentence;  // what a person reads where there is no more to say
};

[[nodiscard]] const ErrcEntry& describe(Errc code);
[[nodiscard]] std::optional<Errc> errc_from_name(std::string_view name);
[[nodiscard]] std::span<const ErrcEntry> all_errors();

}  // namespace fieldsync
