#include "app/enrolment_commands.h"

#include <boost/json.hpp>

#include "app/acts.h"
#include "app/named_rows.h"
#include "app/new_file.h"
#include "app/qr_code.h"
#include "app/rows.h"
#include "engine/enrolment_text.h"
#include "service/enrolment.h"
#include "tls/key_pair.h"

namespace fieldsync::server {
namespace {

namespace json = boost::json;

// Without its code.
Result<engine::EnrolmentText> text_of(const Configuration& configuration) {
  engine::EnrolmentText text{configuration.public_address, {}, {}};
  for (const auto& file : {configuration.certificate(), configuration.spare_certificate()}) {
    auto certificate = read_file(file);
    if (!certificate) return certificate.error();
    auto pin = tls::pin_of(*certificate);
    if (!pin) return pin.error();
    text.pins.push_back(*pin);
  }
  return text;
}

// None where none is asked for.
Result<std::optional<NewFile>> svg_file_of(const CodeOptions& options) {
  if (options.svg_file.empty()) return std::optional<NewFile>();
  auto made = NewFile::make(options.svg_file);
  if (!made) return made.error();
  return std::optional<NewFile>(std::move(*made));
}

std::string state_of(const EnrolmentCodeRow& code, std::uint32_t wrong_tries, core::Instant now) {
  if (code.used) return "used";
  if (code.withdrawn) return "withdrawn";
  if (wrong_tries >= wrong_tries_per_code_max) return "locked";
  return code.expires < now ? "expired" : "open";
}

}  // namespace

Result<void> make_code(Administration& admin, const CodeOptions& options) {
  auto text = text_of(admin.configuration);
  if (!text) return text.error();
  auto svg_file = svg_file_of(options);
  if (!svg_file) return svg_file.error();
  const core::Instant expires = admin.clock() + core::Milliseconds{admin.configuration.code_lifetime_minutes * 60'000};
  std::string enrolment;
  QrCode qr;
  auto done = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    auto person = find_person(transaction, options.person);
    if (!person) return person.error();
    text->code = add_enrolment_code(transaction, person->id, expires);
    enrolment = engine::format_enrolment(*text);
    auto drawn = QrCode::of(enrolment);
    if (!drawn) return drawn.error();
    qr = std::move(*drawn);
    note_act(admin, transaction, {"enrol_code", {bytes_of(person->id)}, text->code.substr(0, code_id_letters)});
    return {};
  });
  if (!done) return done;
  if (*svg_file) {
    if (auto written = (*svg_file)->fill(svg_text(qr)); !written)
      return Error{written.error().code, written.error().message() +
                                             " The code was made all the same. Withdraw it: fieldsync-server code "
                                             "withdraw " +
                                             text->code.substr(0, code_id_letters)};
  }
  if (options.as_json) {
    admin.out << json::serialize(json::object{{"enrolment", enrolment},
                                              {"id", text->code.substr(0, code_id_letters)},
                                              {"expires_ms", expires.ms}})
              << "\n";
    return {};
  }
  admin.out << "Works once, until " << instant_text(expires) << ". On the device of '" << options.person
            << "':\n\n  fieldsync enrol " << enrolment << "\n";
  if (options.as_qr) admin.out << "\n" << terminal_text(qr);
  admin.out << "\nCompare the device that `fieldsync-server device list` shows then with what `fieldsync status` "
               "shows on it.\nTo withdraw the code: fieldsync-server code withdraw "
            << text->code.substr(0, code_id_letters) << "\n";
  return {};
}

Result<void> list_codes(Administration& admin, const CodeOptions& options) {
  return admin.store.read([&](ReadTransaction& transaction) -> Result<void> {
    std::map<core::PersonId, std::string> names;
    for (const PersonRow& person : transaction.people()) names[person.id] = person.name;
    std::vector<Row> rows;
    for (const EnrolmentCodeRow& code : transaction.enrolment_codes()) {
      const std::uint32_t wrong = transaction.wrong_tries(code.id);
      rows.push_back(
          {code.id, names[code.person], instant_text(code.expires), wrong, state_of(code, wrong, admin.clock())});
    }
    const std::vector<std::string> header{"id", "person", "expires", "wrong_tries", "state"};
    options.as_json ? print_json_rows(admin.out, header, rows) : print_table(admin.out, header, rows);
    return {};
  });
}

Result<void> withdraw_code(Administration& admin, const CodeOptions& options) {
  auto done = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    const auto code = transaction.enrolment_code(options.code);
    if (!code) return Error{Errc::not_found, "There is no such code. See: fieldsync-server code list"};
    if (code->used) {
      return Error{Errc::invalid_argument,
                   "The code was used: a device has it. See: fieldsync-server device list, and device revoke"};
    }
    transaction.withdraw_enrolment_code(code->id);
    note_act(admin, transaction, {"code_withdraw", {bytes_of(code->person)}, code->id});
    return {};
  });
  if (done) admin.out << "The code " << options.code << " is withdrawn: it enrols nobody.\n";
  return done;
}

}  // namespace fieldsync::server
