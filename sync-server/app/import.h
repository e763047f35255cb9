// import.h: brings reference data in: each row of a CSV file becomes a record,
// written by the office's own device through the same path as everybody's.
#pragma once

#include <functional>
#include <string>

#include "core/result.h"
#include "service/sync_service.h"
#include "store/store.h"

namespace fieldsync::server {

struct ImportRequest {
  std::string form;
  core::ScopeId scope;
  std::string csv;  // content; the header names the form's fields
  std::string key;  // field that identifies a row, so that importing again updates
  std::function<void(std::size_t done, std::size_t all)> on_progress;
};

struct ImportReport {
  std::size_t rows = 0;
  std::size_t written = 0;  // new or changed
  std::size_t unchanged = 0;
};

// The office's person and device, made once.
[[nodiscard]] Result<void> make_office(Store& store, const AuditLog& log, const Clock& clock);

// A column is a field's name, or `name:language` for text with a language.
// unknown_form, unknown_field, wrong_value_type with the row.
// Rows are applied 500 at a time; those before a refusal stay.
[[nodiscard]] Result<ImportReport> import_records(Store& store, SyncService& sync, const Clock& clock,
                                                  const ImportRequest& request);

}  // namespace fieldsync::server
