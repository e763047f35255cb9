#include "app/quarantine_commands.h"

#include <boost/json.hpp>
#include <charconv>

#include "app/acts.h"
#include "app/named_rows.h"
#include "app/new_file.h"
#include "app/operation_view.h"
#include "app/rows.h"
#include "service/form_cache.h"
#include "service/quarantine.h"

namespace fieldsync::server {
namespace {

namespace json = boost::json;

constexpr std::size_t short_id_digits = 8;

Result<core::OperationId> find_operation(ReadTransaction& transaction, const std::string& name) {
  const std::size_t colon = name.rfind(':');
  std::uint64_t counter = 0;
  const char* const end = name.data() + name.size();
  const auto [read, failed] = std::from_chars(name.data() + std::min(colon + 1, name.size()), end, counter);
  if (colon == std::string::npos || failed != std::errc() || read != end || counter == 0) {
    return Error{Errc::invalid_argument,
                 "An operation is named DEVICE:COUNTER, as `quarantine list` does, not '" + for_terminal(name) + "'."};
  }
  const auto device = find_device(transaction, name.substr(0, colon));
  if (!device) return device.error();
  return core::OperationId{device->id, counter};
}

std::string id_of(const QuarantinedOperation& found) {
  return found.device.id.hex().substr(0, short_id_digits) + ":" + std::to_string(found.counter);
}

const core::Form* form_of(const QuarantinedOperation& found, const FormSet& forms) {
  if (!found.operation) return nullptr;
  const auto form = forms.find(found.operation->form);
  return form == forms.end() ? nullptr : &form->second;
}

json::object json_of(const QuarantinedOperation& found, const FormSet& forms) {
  json::array files;
  for (const QuarantinedFile& file : found.files)
    files.push_back({{"sha256", file.file.id.hex()}, {"bytes", file.file.size}, {"is_here", file.is_here}});
  json::object object{{"id", found.device.id.hex() + ":" + std::to_string(found.counter)},
                      {"person", json_text(found.device.person.name)},
                      {"person_id", found.device.person.id.hex()},
                      {"device_name", json_text(found.device.name)},
                      {"received_ms", found.received.ms},
                      {"code", found.code},
                      {"message", json_text(found.message)},
                      {"returned", found.is_returned()}};
  if (found.is_returned()) object["refused_for"] = found.refused_for;
  if (found.scope) object["scope_name"] = found.scope->name;
  object["operation"] =
      found.operation ? json::value(operation_json(*found.operation, form_of(found, forms))) : json::value();
  object["attachments"] = std::move(files);
  object["signed_bytes"] = core::to_hex(found.bytes);
  return object;
}

Row row_of(const QuarantinedOperation& found) {
  Row row{id_of(found), found.device.person.name, instant_text(found.received), found.code};
  if (found.operation) {
    row.emplace_back(found.operation->record.hex().substr(0, short_id_digits));
    row.emplace_back(found.operation->form);
    row.emplace_back(found.scope ? found.scope->name : "unknown");
  } else {
    row.insert(row.end(), {nullptr, nullptr, nullptr});
  }
  return row;
}

void print(std::ostream& out, const QuarantinedOperation& found, const FormSet& forms) {
  out << id_of(found) << " of " << for_terminal(found.device.person.name) << ", device '"
      << for_terminal(found.device.name) << "', received " << instant_text(found.received) << "\n"
      << (found.is_returned() ? "Returned: " : "Refused: ") << for_terminal(found.message) << " ["
      << (found.is_returned() ? found.refused_for : found.code) << "]\n";
  if (!found.operation) {
    out << "Its bytes cannot be read: " << core::to_hex(found.bytes) << "\n";
    return;
  }
  out << "Record " << found.operation->record.hex() << " of form " << for_terminal(found.operation->form) << " in "
      << (found.scope ? "'" + for_terminal(found.scope->name) + "'" : "scope " + found.operation->scope.hex())
      << ", saved " << instant_text(found.operation->claimed) << " by the device's clock\n";
  print_writes(out, *found.operation, form_of(found, forms));
  for (const QuarantinedFile& file : found.files)
    out << "  attachment " << file.file.id.hex() << (file.is_here ? " is here\n" : " has not come yet\n");
}

// Who reads saves that nobody could apply is on record: here, all of them.
Result<void> note_reading(Administration& admin, std::string_view act) {
  return admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    note_act(admin, transaction, {act, {}, {}});
    return {};
  });
}

}  // namespace

Result<void> list_quarantined(Administration& admin, const QuarantineOptions& options) {
  // The table has no content; this has.
  if (options.as_json) {
    if (auto noted = note_reading(admin, "quarantine_show"); !noted) return noted;
  }
  return admin.store.read([&](ReadTransaction& transaction) -> Result<void> {
    std::optional<DeviceRow> device;
    if (!options.device.empty()) {
      auto found = find_device(transaction, options.device);
      if (!found) return found.error();
      device = std::move(*found);
    }
    const auto list = list_quarantine(transaction, device);
    if (options.as_json) {
      FormCache forms;
      json::array array;
      for (const auto& each : list) array.push_back(json_of(each, *forms.forms(transaction)));
      admin.out << json::serialize(array) << "\n";
      return {};
    }
    std::vector<Row> rows;
    for (const auto& each : list) rows.push_back(row_of(each));
    print_table(admin.out, {"id", "person", "received", "why", "record", "form", "scope"}, rows);
    return {};
  });
}

Result<void> show_quarantined(Administration& admin, const QuarantineOptions& options) {
  std::optional<QuarantinedOperation> found;
  std::shared_ptr<const FormSet> forms;
  auto noted = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    const auto id = find_operation(transaction, options.operation);
    if (!id) return id.error();
    auto named = find_quarantined(transaction, *transaction.device_by_id(id->device), id->counter);
    if (!named) return named.error();
    found = std::move(*named);
    forms = FormCache().forms(transaction);
    note_act(admin, transaction, {"quarantine_show", {bytes_of(id->device)}, std::to_string(id->counter)});
    return {};
  });
  if (!noted) return noted;
  if (options.as_json) {
    admin.out << json::serialize(json_of(*found, *forms)) << "\n";
  } else {
    print(admin.out, *found, *forms);
  }
  return {};
}

namespace {

Result<core::OperationId> named_operation(Administration& admin, const std::string& name) {
  core::OperationId id;
  auto looked = admin.store.read([&](ReadTransaction& transaction) -> Result<void> {
    const auto found = find_operation(transaction, name);
    if (found) id = *found;
    return found ? Result<void>() : found.error();
  });
  return looked ? Result(id) : looked.error();
}

}  // namespace

Result<void> accept_operation(Administration& admin, const QuarantineOptions& options) {
  const auto id = named_operation(admin, options.operation);
  if (!id) return id.error();
  auto done = accept_quarantined(admin.store, admin.sync.audit_log(), *id);
  if (done) admin.out << options.operation << " is applied; devices get it with their next sync.\n";
  return done;
}

Result<void> return_operation(Administration& admin, const QuarantineOptions& options) {
  const auto id = named_operation(admin, options.operation);
  if (!id) return id.error();
  auto done = return_quarantined(admin.store, admin.sync.audit_log(), *id, options.note);
  if (done) admin.out << options.operation << " is returned: its author reads the note with their next sync.\n";
  return done;
}

Result<void> export_quarantine(Administration& admin, const QuarantineOptions& options) {
  auto file = NewFile::make(options.file);
  if (!file) return file.error();
  std::string lines;
  std::size_t count = 0;
  auto read = admin.store.read([&](ReadTransaction& transaction) -> Result<void> {
    FormCache forms;
    const auto known = forms.forms(transaction);
    for (const auto& each : list_quarantine(transaction, std::nullopt)) {
      lines += json::serialize(json_of(each, *known)) + "\n";
      ++count;
    }
    return {};
  });
  if (!read) return read;
  // Before anybody has it.
  if (auto noted = note_reading(admin, "quarantine_export"); !noted) return noted;
  auto written = file->fill(lines);
  if (written)
    admin.out << count << " operations written. Their attachments are in " << admin.configuration.attachments().string()
              << ", named by their SHA-256.\n";
  return written;
}

}  // namespace fieldsync::server
