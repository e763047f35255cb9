#include "service/rights.h"

namespace fieldsync::server {

Result<DeviceRow> enrolled_device(ReadTransaction& transaction, const core::DeviceId& id, Access access) {
  auto device = transaction.device_by_id(id);
  const DeviceStanding standing = !device           ? DeviceStanding::unknown
                                  : device->revoked ? DeviceStanding::revoked
                                                    : DeviceStanding::enrolled;
  if (const auto refusal = refusal_of(standing, access)) return Error{*refusal, {}};
  return *device;
}

ReadersView view_of(const MembershipRow& membership, const core::PersonId& person) {
  ReadersView view{membership.scope.key, std::nullopt};
  if (reading_mode_of(membership.role, membership.mode) == ReadingMode::own) view.own_of = person;
  return view;
}

bool may_change(ReadTransaction& transaction, const MembershipRow& membership, const core::PersonId& person,
                const core::RecordId& record, bool is_reference_data) {
  if (is_reference_data || !view_of(membership, person).own_of) return true;
  const auto known = transaction.participation(membership.scope.key, person, record);
  return known && known->part != PartTaken::never;
}

std::vector<NamedAttachment> attachments_known_to(ReadTransaction& transaction, const DeviceRow& device,
                                                  const core::AttachmentId& id) {
  auto named = transaction.attachments_named(device, id);
  std::erase_if(named, [](const NamedAttachment& each) { return !each.is_own && !may_read(each); });
  return named;
}

bool may_send(const NamedAttachment& named) {
  return named.is_own || (policy_of(named.role).writes && may_read(named));
}

bool may_read(const NamedAttachment& named) {
  if (policy_of(named.role).reads == Reads::nothing) return false;
  return named.takes_part || reading_mode_of(named.role, named.mode) == ReadingMode::scope;
}

}  // namespace fieldsync::server
