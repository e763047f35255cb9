#include "service/stored_record.h"

#include "codec/record_codec.h"

namespace fieldsync::server {

Result<core::RecordState> read_record(const RecordRow& row, codec::FrameReader& reader) {
  auto body = reader.decompress(row.body_frame, codec::record_body_bytes_max);
  if (!body) return Error{Errc::storage_corrupt, body.error().message()};
  auto state = codec::decode_record(row.head, *body);
  if (!state) return Error{Errc::storage_corrupt, state.error().message()};
  return state;
}

}  // namespace fieldsync::server
