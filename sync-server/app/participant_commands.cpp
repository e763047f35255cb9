#include "app/participant_commands.h"

#include "app/acts.h"
#include "app/named_rows.h"
#include "app/rows.h"
#include "service/participation.h"

namespace fieldsync::server {
namespace {

Result<RecordRow> find_record(ReadTransaction& transaction, const std::string& wanted) {
  const auto id = core::RecordId::parse_hex(wanted);
  if (!id) return Error{Errc::invalid_argument, "A record's id has 32 hexadecimal digits: '" + wanted + "' is none."};
  auto record = transaction.record(*id);
  if (!record) return Error{Errc::not_found, "There is no record " + wanted + "."};
  return *record;
}

}  // namespace

Result<void> set_participation(Administration& admin, const std::string& record, const std::string& person,
                               bool takes_part) {
  std::vector<DeviceRow> devices;
  auto done = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    const auto row = find_record(transaction, record);
    if (!row) return row.error();
    const auto found = find_person(transaction, person);
    if (!found) return found.error();
    if (takes_part && !is_member(transaction, found->id, row->scope)) {
      return Error{Errc::invalid_argument,
                   "'" + person + "' is not in the record's scope. Let them in first: fieldsync-server person join"};
    }
    ParticipationKeeper participation(transaction, row->scope);
    takes_part ? participation.join(found->id, row->id) : participation.leave(found->id, row->id);
    participation.settle();
    if (!takes_part) devices = devices_of(transaction, found->id);
    note_act(admin, transaction,
             {takes_part ? "participant_add" : "participant_remove", {bytes_of(found->id), bytes_of(row->id)}, {}});
    return {};
  });
  if (!done) return done;
  end_connections_of(admin, devices);
  admin.out << "'" << person << "' " << (takes_part ? "takes part in " : "takes part no more in ") << record << ".\n";
  return done;
}

Result<void> list_participants(Administration& admin, const std::string& record, bool as_json) {
  return admin.store.read([&](ReadTransaction& transaction) -> Result<void> {
    const auto row = find_record(transaction, record);
    if (!row) return row.error();
    std::vector<Row> rows;
    for (const Participation& each : transaction.participants(row->scope, row->id))
      rows.push_back({each.person.id.hex(), each.person.name, !each.is_gone()});
    const std::vector<std::string> header{"id", "name", "takes_part"};
    as_json ? print_json_rows(admin.out, header, rows) : print_table(admin.out, header, rows);
    return {};
  });
}

}  // namespace fieldsync::server
