#include "support/laid_open.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "codec/form_codec.h"
#include "codec/record_codec.h"
#include "storage/packing.h"
#include "storage/schema.h"
#include "support/test_unlocking.h"

namespace fieldsync::testing {
namespace {

using seal::Place;
using storage::row_of;
using storage::Unpacker;

constexpr const char* tables = R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE scope(id BLOB PRIMARY KEY, name TEXT NOT NULL, role INTEGER NOT NULL, reading_mode INTEGER NOT NULL,
                   cursor BLOB, digest INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE person(id BLOB PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE form(name TEXT PRIMARY KEY, version INTEGER NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE record(row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, scope BLOB NOT NULL, form TEXT NOT NULL,
                    head BLOB, body BLOB, body_hash INTEGER, hash INTEGER NOT NULL DEFAULT 0,
                    shown_head BLOB, shown_body BLOB, shown_body_hash INTEGER, stale INTEGER NOT NULL DEFAULT 0);
CREATE INDEX record_by_form ON record(form);
CREATE INDEX record_stale ON record(stale) WHERE stale = 1;
CREATE TABLE operation(counter INTEGER PRIMARY KEY, record INTEGER NOT NULL REFERENCES record, bytes BLOB NOT NULL,
                       elements INTEGER NOT NULL);
CREATE INDEX operation_by_record ON operation(record);
CREATE TABLE refused(counter INTEGER PRIMARY KEY, record BLOB NOT NULL, bytes BLOB NOT NULL, code TEXT NOT NULL,
                     message TEXT NOT NULL);
CREATE TABLE batch(first INTEGER NOT NULL, last INTEGER NOT NULL, hash BLOB NOT NULL, previous BLOB NOT NULL,
                   encoding INTEGER NOT NULL, signature BLOB NOT NULL, content BLOB NOT NULL, PRIMARY KEY(first, hash));
CREATE INDEX batch_by_last ON batch(last);
CREATE TABLE batch_stamps(first INTEGER NOT NULL, last INTEGER NOT NULL, stamps BLOB NOT NULL,
                          PRIMARY KEY(first, last)) WITHOUT ROWID;
CREATE TABLE former_batch(device BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, hash BLOB NOT NULL,
                          previous BLOB NOT NULL, encoding INTEGER NOT NULL, signature BLOB NOT NULL, content BLOB NOT NULL,
                          PRIMARY KEY(device, first, hash));
CREATE TABLE former_refused(device BLOB NOT NULL, counter INTEGER NOT NULL, record BLOB NOT NULL, bytes BLOB NOT NULL,
                            code TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY(device, counter));
)";

constexpr std::array<std::string_view, 8> numbers{
    "last_counter", "acknowledged_counter", "durable_counter",   "forked_from",
    "comparing",    "forms_version",        "directory_version", "last_sync"};

std::string number(std::uint64_t value) { return std::to_string(static_cast<std::int64_t>(value)); }
std::string blob(std::string_view bytes) { return "x'" + core::to_hex(bytes) + "'"; }
std::string text(std::string_view bytes) { return "CAST(" + blob(bytes) + " AS TEXT)"; }

// Collects the statements.
class LayingOpen {
 public:
  LayingOpen(sqlite::Connection& connection, const storage::Vault& vault) : connection_(connection), vault_(vault) {}

  std::string all() {
    settings();
    directory();
    records();
    operations();
    refusals();
    batches();
    return std::move(sql_);
  }

 private:
  void add(const std::string& table, const std::vector<std::string>& cells) {
    sql_ += "INSERT INTO " + table + " VALUES(";
    for (std::size_t i = 0; i < cells.size(); ++i) sql_ += (i > 0 ? "," : "") + cells[i];
    sql_ += ");\n";
  }

  void settings() {
    auto rows = connection_.prepare("SELECT key, value FROM setting");
    while (rows.step()) {
      const std::string value = vault_.read({Place::setting, rows.text(0)}, rows.blob(1));
      const bool is_number = std::find(numbers.begin(), numbers.end(), rows.text(0)) != numbers.end();
      add("meta", {text(rows.text(0)), is_number ? number(Unpacker(value).number()) : blob(value)});
    }
  }

  void directory() {
    auto scopes = connection_.prepare("SELECT id, about, position FROM scope");
    while (scopes.step()) {
      const std::string about = vault_.read({Place::scope, scopes.blob(0)}, scopes.blob(1));
      Unpacker fields(about);
      const std::string role = number(fields.number());
      const std::string name = text(fields.rest());
      std::string cursor = "NULL";
      std::string digest = "0";
      if (!scopes.is_null(2)) {
        const std::string position = vault_.read({Place::scope_position, scopes.blob(0)}, scopes.blob(2));
        Unpacker place(position);
        digest = number(place.number());
        cursor = blob(place.rest());
      }
      add("scope", {blob(scopes.blob(0)), name, role, "1", cursor, digest});
    }
    auto people = connection_.prepare("SELECT id, name FROM person");
    while (people.step())
      add("person", {blob(people.blob(0)), text(vault_.read({Place::person, people.blob(0)}, people.blob(1)))});
    auto forms = connection_.prepare("SELECT tag, content FROM form");
    while (forms.step()) {
      const std::string content = vault_.read({Place::form, forms.blob(0)}, forms.blob(1));
      v1::Form form;
      if (!form.ParseFromString(content)) throw std::runtime_error("a form cannot be read");
      add("form", {text(form.name()), number(form.version()), blob(content)});
    }
  }

  struct Head {
    std::string hash = "0";
    std::string body_hash = "NULL";
    std::string head = "NULL";
    std::string form;
  };
  Head head_of(Place place, std::string_view id, std::string_view cell) const {
    const std::string content = vault_.read({place, id}, cell);
    Unpacker fields(content);
    Head head;
    head.hash = number(fields.number());
    head.body_hash = number(fields.number());
    const std::string_view bytes = fields.rest();
    head.head = blob(bytes);
    const auto state = codec::decode_head(bytes);
    if (!state) throw std::runtime_error("a head cannot be read");
    head.form = state->form;
    return head;
  }

  void records() {
    auto rows = connection_.prepare("SELECT row, id, scope, head, body, shown_head, shown_body, stale FROM record");
    while (rows.step()) {
      const std::string_view id = rows.blob(1);
      const auto body = [&](int column) { return blob(vault_.read({Place::record_body, id}, rows.blob(column))); };
      const Head told = rows.is_null(3) ? Head() : head_of(Place::record_head, id, rows.blob(3));
      const Head shown = rows.is_null(5) ? Head() : head_of(Place::shown_head, id, rows.blob(5));
      const bool stale = rows.integer(7) != 0;
      add("record", {number(rows.unsigned_integer(0)), blob(id), blob(rows.blob(2)),
                     text(told.form.empty() ? shown.form : told.form), told.head, rows.is_null(3) ? "NULL" : body(4),
                     told.body_hash, stale ? "0" : told.hash, shown.head, rows.is_null(5) ? "NULL" : body(6),
                     shown.body_hash, stale ? "1" : "0"});
    }
  }

  void operations() {
    auto rows = connection_.prepare("SELECT counter, record, content FROM operation");
    while (rows.step()) {
      const std::string content = vault_.read({Place::operation, row_of(rows.unsigned_integer(0))}, rows.blob(2));
      Unpacker fields(content);
      const std::string elements = number(fields.number());
      add("operation",
          {number(rows.unsigned_integer(0)), number(rows.unsigned_integer(1)), blob(fields.rest()), elements});
    }
  }

  void refusals() {
    auto rows =
        connection_.prepare("SELECT x'', counter, record, content FROM refused UNION ALL SELECT * FROM former_refused");
    while (rows.step()) {
      const std::string content = vault_.read({Place::refusal, row_of(rows.unsigned_integer(1))}, rows.blob(3));
      Unpacker fields(content);
      const std::string code = text(fields.text());
      const std::string message = text(fields.text());
      std::vector<std::string> cells{number(rows.unsigned_integer(1)), blob(rows.blob(2)), blob(fields.rest()), code,
                                     message};
      const bool former = !rows.blob(0).empty();
      if (former) cells.insert(cells.begin(), blob(rows.blob(0)));
      add(former ? "former_refused" : "refused", cells);
    }
  }

  void batches() {
    auto rows = connection_.prepare(
        "SELECT x'', first, last, head, content FROM batch UNION ALL"
        " SELECT device, first, last, head, content FROM former_batch");
    while (rows.step()) {
      const std::string row = row_of(rows.unsigned_integer(1), rows.unsigned_integer(2));
      const std::string head = vault_.read({Place::batch, row}, rows.blob(3));
      Unpacker fields(head);
      std::vector<std::string> cells{number(rows.unsigned_integer(1)), number(rows.unsigned_integer(2))};
      cells.push_back(blob(fields.bytes(sizeof(codec::BatchHash))));
      cells.push_back(blob(fields.bytes(sizeof(codec::BatchHash))));
      cells.push_back(number(fields.number()));
      static_cast<void>(fields.number());
      cells.push_back(blob(fields.rest()));
      cells.push_back(blob(vault_.read({Place::batch_content, row}, rows.blob(4))));
      const bool former = !rows.blob(0).empty();
      if (former) cells.insert(cells.begin(), blob(rows.blob(0)));
      add(former ? "former_batch" : "batch", cells);
    }
    auto stamps = connection_.prepare("SELECT first, last, stamps FROM batch_stamps");
    while (stamps.step()) {
      const std::string row = row_of(stamps.unsigned_integer(0), stamps.unsigned_integer(1));
      add("batch_stamps", {number(stamps.unsigned_integer(0)), number(stamps.unsigned_integer(1)),
                           blob(vault_.read({Place::batch_stamps, row}, stamps.blob(2)))});
    }
  }

  sqlite::Connection& connection_;
  const storage::Vault& vault_;
  std::string sql_ = tables;
};

}  // namespace

std::string laid_open(sqlite::Connection& connection, const storage::Vault& vault) {
  return LayingOpen(connection, vault).all();
}

std::string laid_open(const std::string& path) {
  // Throws where Result says no: who asks has just closed it.
  auto connection = storage::open_store(path, true);
  if (!connection) throw std::runtime_error(connection.error().message());
  storage::Vault vault(**connection);
  if (auto opened = open_vault(**connection, vault); !opened) throw std::runtime_error(opened.error().message());
  return laid_open(**connection, vault);
}

}  // namespace fieldsync::testing
