#include "app/import.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <set>

#include "app/csv_reader.h"
#include "app/named_rows.h"
#include "codec/form_codec.h"
#include "codec/operation_codec.h"
#include "core/edit.h"
#include "core/validation.h"
#include "service/enrolment.h"
#include "service/stored_record.h"

namespace fieldsync::server {
namespace {

Error at_row(std::size_t row, const Error& error) {
  return {error.code, "Row " + std::to_string(row) + ": " + error.message()};
}

template <typename Number>
Result<Number> parse_number(std::string_view text) {
  Number number{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return Error{Errc::wrong_value_type, "'" + std::string(text) + "' is not a number."};
  }
  return number;
}

// Days since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
std::int32_t days_from_civil(int year, unsigned month, unsigned day) {
  year -= month <= 2;
  const int era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<std::int32_t>(day_of_era) - 719468;
}

Result<core::Value> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-')
    return Error{Errc::wrong_value_type, "'" + std::string(text) + "' is not a date like 2026-11-24."};
  auto year = parse_number<int>(text.substr(0, 4));
  auto month = parse_number<unsigned>(text.substr(5, 2));
  auto day = parse_number<unsigned>(text.substr(8, 2));
  if (!year || !month || !day || *month < 1 || *month > 12 || *day < 1 || *day > 31) {
    return Error{Errc::wrong_value_type, "'" + std::string(text) + "' is not a date like 2026-11-24."};
  }
  return core::Value(core::Date{days_from_civil(*year, *month, *day)});
}

Result<core::Value> parse_position(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos)
    return Error{Errc::wrong_value_type, "'" + std::string(text) + "' is not latitude,longitude."};
  auto latitude = parse_number<double>(text.substr(0, comma));
  auto longitude = parse_number<double>(text.substr(comma + 1));
  if (!latitude || !longitude || std::abs(*latitude) > 90 || std::abs(*longitude) > 180)
    return Error{Errc::wrong_value_type, "'" + std::string(text) + "' is not latitude,longitude."};
  return core::Value(core::Position{static_cast<std::int32_t>(std::llround(*latitude * 1e7)),
                                    static_cast<std::int32_t>(std::llround(*longitude * 1e7))});
}

Result<core::Value> parse_cell(const core::FormField& field, const std::string& language, const std::string& text) {
  switch (field.type) {
    case core::FieldType::text: return core::Value(text);
    case core::FieldType::local_text: return core::Value(core::LocalText{language, text});
    case core::FieldType::choice: return core::Value(core::Choice{text});
    case core::FieldType::date: return parse_date(text);
    case core::FieldType::position: return parse_position(text);
    case core::FieldType::boolean: return core::Value(text == "yes" || text == "true" || text == "1");
    case core::FieldType::integer: {
      auto number = parse_number<std::int64_t>(text);
      return number ? Result<core::Value>(core::Value(*number)) : number.error();
    }
    case core::FieldType::number: {
      auto number = parse_number<double>(text);
      return number ? Result<core::Value>(core::Value(*number)) : number.error();
    }
    default: return Error{Errc::invalid_argument, "Fields of the type of '" + field.name + "' cannot be imported."};
  }
}

struct Column {
  const core::FormField* field = nullptr;
  std::string language;
};

Result<std::vector<Column>> read_header(const CsvRow& header, const core::Form& form) {
  std::vector<Column> columns;
  for (const std::string& name : header) {
    const std::size_t colon = name.find(':');
    Column column{form.find(name.substr(0, colon)), colon == std::string::npos ? "" : name.substr(colon + 1)};
    if (column.field == nullptr)
      return Error{Errc::unknown_field, "The form '" + form.name + "' has no field '" + name + "'."};
    if (column.field->group != 0)
      return Error{Errc::invalid_argument, "'" + name + "' stands in a repeated group and cannot be imported."};
    if ((column.field->type == core::FieldType::local_text) == column.language.empty()) {
      return Error{Errc::invalid_argument,
                   "Column '" + name + "': text with a language is headed name:language, anything else without."};
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

class Importer {
 public:
  Importer(Store& store, SyncService& sync, const Clock& clock, const core::Form& form, const core::ScopeId& scope)
      : store_(store), sync_(sync), clock_(clock), form_(form), scope_(scope) {}

  Result<void> open_office() {
    return store_.read([&](ReadTransaction& transaction) -> Result<void> {
      const std::string key = transaction.setting("office_key");
      if (key.size() != key_.size()) return Error{Errc::not_found, "This server has no office device. Run init."};
      std::memcpy(key_.data(), key.data(), key_.size());
      const auto device = transaction.device_by_id(device_id_of(key.substr(32)));
      if (!device) return Error{Errc::not_found, "This server has no office device. Run init."};
      device_ = *device;
      return {};
    });
  }

  // True where the row changes anything.
  Result<bool> add(const std::vector<Column>& columns, const CsvRow& row, std::size_t key_column) {
    auto known = current(record_id(row[key_column]));
    if (!known) return known.error();
    const core::RecordState& state = *known;
    core::Operation operation;
    operation.id = {device_.id, device_.last_counter + count_ + 1};
    operation.record = state.id;
    operation.scope = scope_;
    operation.form = form_.name;
    operation.author = device_.person.id;
    operation.claimed = clock_();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (row[i].empty()) continue;
      auto value = parse_cell(*columns[i].field, columns[i].language, row[i]);
      if (!value) return value.error();
      const core::FieldBase base =
          core::open_field(state, {{}, columns[i].field->number}, {device_.id, device_.person.id});
      const bool stands = std::any_of(base.siblings.begin(), base.siblings.end(),
                                      [&](const core::Sibling& sibling) { return sibling.value == *value; });
      if (!stands) operation.writes.push_back(core::write_field(base, columns[i].field, std::move(*value)));
    }
    if (operation.writes.empty()) return false;
    std::stable_sort(operation.writes.begin(), operation.writes.end(),
                     [](const core::FieldWrite& left, const core::FieldWrite& right) { return left.key < right.key; });
    if (auto checked = core::check_operation(operation, form_); !checked) return checked.error();
    const std::string bytes = codec::encode_operation(operation);
    if (list_.size() + bytes.size() > codec::batch_content_bytes_max / 2) {
      if (auto sent = send(); !sent) return sent.error();
    }
    codec::append_to_list(list_, bytes);
    if (++count_ == codec::operations_per_batch_max) {
      if (auto sent = send(); !sent) return sent.error();
    }
    return true;
  }

  Result<void> send() {
    if (count_ == 0) return {};
    v1::SyncRequest request;
    request.set_protocol_version(protocol_version);
    request.set_device_time_ms(clock_().ms);
    request.set_reply_budget_bytes(1);
    v1::Batch& batch = *request.mutable_batch();
    batch.set_first_counter(device_.last_counter + 1);
    codec::BatchHash previous{};
    std::memcpy(previous.data(), device_.last_batch_hash.data(), previous.size());
    if (device_.last_counter > 0) batch.set_previous_hash_prefix(previous.data(), codec::previous_hash_prefix_bytes);
    batch.set_encoding(v1::ENCODING_ZSTD);
    batch.set_content(writer_.compress(list_));
    const auto hash =
        codec::hash_batch({device_.id, device_.last_counter + 1, previous, codec::Encoding::zstd}, batch.content());
    const auto signature = codec::sign_batch(hash, key_);
    batch.set_signature(signature.data(), signature.size());
    auto reply = sync_.sync(device_.id, request, BodyStyle::frame);
    if (!reply) return reply.error();
    if (reply->results_size() > 0) {
      const v1::OperationResult& refused = reply->results(0);
      return Error{errc_from_name(refused.code()).value_or(Errc::internal_error), refused.message()};
    }
    count_ = 0;
    list_.clear();
    return open_office();
  }

 private:
  // The same row of the same form in the same scope is the same record for ever.
  [[nodiscard]] core::RecordId record_id(const std::string& key) const {
    const std::string bytes = "fieldsync import v1\n" + scope_.hex() + "\n" + form_.name + "\n" + key;
    Sha256 hash;
    crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    core::RecordId id;
    std::memcpy(id.bytes.data(), hash.data(), id.bytes.size());
    return id;
  }

  Result<core::RecordState> current(const core::RecordId& id) {
    core::RecordState state;
    auto looked = store_.read([&](ReadTransaction& transaction) -> Result<void> {
      const auto row = transaction.record(id);
      if (!row) return {};
      auto decoded = read_record(*row, reader_);
      if (!decoded) return decoded.error();
      state = std::move(*decoded);
      return {};
    });
    if (!looked) return looked.error();
    state.id = id;
    return state;
  }

  Store& store_;
  SyncService& sync_;
  const Clock& clock_;
  const core::Form& form_;
  core::ScopeId scope_;
  DeviceRow device_;
  codec::SigningKey key_{};
  codec::FrameWriter writer_;
  codec::FrameReader reader_;
  std::string list_;
  std::size_t count_ = 0;
};

}  // namespace

Result<void> make_office(Store& store, const AuditLog& log, const Clock& clock) {
  return store.write([&](WriteTransaction& transaction) -> Result<void> {
    if (!transaction.setting("office_key").empty()) return {};
    codec::VerifyingKey public_key;
    codec::SigningKey key;
    crypto_sign_keypair(public_key.data(), key.data());
    PersonRow office;
    randombytes_buf(office.id.bytes.data(), office.id.bytes.size());
    office.name = "Office";
    transaction.add_person(office);
    DeviceRow device;
    device.public_key.assign(reinterpret_cast<const char*>(public_key.data()), public_key.size());
    device.id = device_id_of(device.public_key);
    device.person = office;
    device.name = "imports";
    device.enrolled = clock();
    transaction.add_device(device);
    log.note_enrolment(transaction, device);
    transaction.put_setting("office_person", office.id.view());
    transaction.put_setting("office_key", {reinterpret_cast<const char*>(key.data()), key.size()});
    return {};
  });
}

Result<ImportReport> import_records(Store& store, SyncService& sync, const Clock& clock, const ImportRequest& request) {
  auto rows = read_csv(request.csv);
  if (!rows) return rows.error();
  if (rows->empty())
    return Error{Errc::invalid_argument, "The file is empty: its first line must name the form's fields."};
  std::optional<core::Form> form;
  const auto looked = store.read([&](ReadTransaction& transaction) -> Result<void> {
    const auto row = find_form(transaction, request.form);
    if (!row) return row.error();
    auto decoded = codec::decode_form(row->bytes);
    if (!decoded) return decoded.error();
    form = std::move(*decoded);
    return {};
  });
  if (!looked) return looked.error();
  auto columns = read_header(rows->front(), *form);
  if (!columns) return columns.error();
  std::size_t key_column = columns->size();
  for (std::size_t i = 0; i < columns->size(); ++i) {
    if ((*columns)[i].field->name == request.key) key_column = i;
  }
  if (key_column == columns->size())
    return Error{Errc::invalid_argument, "The key column '" + request.key + "' is not in the file."};
  Importer importer(store, sync, clock, *form, request.scope);
  if (auto opened = importer.open_office(); !opened) return opened.error();
  ImportReport report;
  std::set<std::string> keys;
  for (std::size_t i = 1; i < rows->size(); ++i) {
    const CsvRow& row = (*rows)[i];
    if (row.size() != columns->size()) {
      return Error{Errc::malformed_request, "Row " + std::to_string(i + 1) + " has " + std::to_string(row.size()) +
                                                " cells, the header " + std::to_string(columns->size()) + "."};
    }
    if (row[key_column].empty() || !keys.insert(row[key_column]).second) {
      return Error{Errc::malformed_request,
                   "Row " + std::to_string(i + 1) + ": the key '" + row[key_column] + "' is empty or stands twice."};
    }
    auto changed = importer.add(*columns, row, key_column);
    if (!changed) return at_row(i + 1, changed.error());
    ++report.rows;
    ++(*changed ? report.written : report.unchanged);
    if (request.on_progress) request.on_progress(i, rows->size() - 1);
  }
  if (auto sent = importer.send(); !sent) return sent.error();
  return report;
}

}  // namespace fieldsync::server
