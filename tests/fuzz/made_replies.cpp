#include "fuzz/made_replies.h"

#include <array>
#include <string>

#include "codec/frame.h"
#include "codec/record_codec.h"
#include "fuzz/made_operations.h"
#include "sim/team/office.h"

namespace fieldsync::fuzz {
namespace {

core::RecordState make_state(Input& input, const core::ScopeId& scope) {
  core::RecordState state;
  const core::RecordId record = made_record(input.below(3));
  std::array<std::uint64_t, device_count> counters{};
  for (std::uint32_t left = 1 + input.below(4); left > 0; --left) {
    const std::uint32_t device = input.below(device_count);
    core::Operation operation = make_operation(input, {made_device(device), ++counters[device]}, record);
    operation.scope = scope;
    operation.form = "visit";
    const core::Stamp stamp{operation.author, operation.claimed, operation.claimed, {0}, input.number() + 1u, false};
    state.apply(std::move(operation), stamp);
  }
  return state;
}

void add_change(Input& input, const core::ScopeId& scope, v1::ScopeChanges& changes) {
  static codec::FrameWriter writer;
  v1::RecordChange& change = *changes.add_changes();
  const auto encoded = codec::encode_record(make_state(input, scope));
  // Not for zero: that is what is read beyond the end.
  change.set_head(input.below(8) == 7 ? std::string(input.chunk()) : encoded.head);
  const std::string body = input.below(8) == 7 ? std::string(input.chunk()) : encoded.body;
  switch (input.below(5)) {
    case 0: change.set_body(body); break;
    case 1: change.mutable_changed()->ParseFromString(std::string(input.chunk())); break;
    case 2: change.mutable_changed()->ParseFromString(body); break;
    case 3: change.set_body_frame(std::string(input.chunk())); break;
    default: change.set_body_frame(writer.compress(body)); break;
  }
}

void add_scope(Input& input, v1::SyncReply& reply) {
  v1::ScopeChanges& changes = *reply.add_scopes();
  const core::ScopeId scope = id_of(input.below(4) == 0 ? team::Place::district : team::Place::region);
  changes.set_scope(input.below(8) == 0 ? std::string(input.bytes(16)) : std::string(scope.view()));
  if (input.below(4) == 0) changes.set_name("A scope");
  changes.set_cursor(std::string(input.bytes(input.below(8))));
  changes.set_restart(input.below(4) == 0);
  changes.set_own_first_seq(input.byte());
  for (std::uint32_t left = input.below(4); left > 0; --left) add_change(input, scope, changes);
}

}  // namespace

v1::SyncReply make_reply(Input& input, std::uint64_t acknowledged) {
  v1::SyncReply reply;
  reply.set_acknowledged_counter(acknowledged + input.below(4));
  if (input.below(4) == 0) reply.set_acknowledged_counter(input.below(10));
  reply.set_durable_counter(input.below(2) == 0 ? reply.acknowledged_counter() : input.wide_number());
  reply.set_more(input.below(2) == 0);
  v1::BatchStamps& stamps = *reply.mutable_stamps();
  stamps.set_first_counter(acknowledged + input.below(3));
  stamps.set_received_time_ms(static_cast<std::int64_t>(input.wide_number()));
  stamps.set_clock_offset_ms(static_cast<std::int64_t>(input.wide_number()));
  for (std::uint32_t left = input.below(3); left > 0; --left) {
    v1::OperationResult& result = *reply.add_results();
    result.set_counter(input.below(4) == 0 ? input.below(10) : acknowledged + input.below(4));
    result.set_outcome(v1::OPERATION_OUTCOME_QUARANTINED);
    result.set_code("not_permitted");
  }
  reply.set_results_complete(input.below(4) == 0);
  for (std::uint32_t left = input.below(4); left > 0; --left) add_scope(input, reply);
  if (input.below(8) == 0) reply.set_directory_version(input.byte());
  if (input.below(8) == 0) reply.add_scopes_gone(id_of(team::Place::region).view().data(), core::ScopeId::size);
  if (input.below(8) == 0) reply.mutable_forms()->Add()->ParseFromString(std::string(input.chunk()));
  if (input.below(8) == 0) reply.set_forms_frame(std::string(input.chunk()));
  return reply;
}

}  // namespace fieldsync::fuzz
