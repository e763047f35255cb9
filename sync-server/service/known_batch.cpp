#include "service/known_batch.h"

#include <map>

#include "codec/operation_codec.h"
#include "service/upload.h"

namespace fieldsync::server {
namespace {

using OperationsByCounter = std::map<std::uint64_t, std::string>;

Result<OperationsByCounter> operations_in(const v1::Batch& batch, codec::FrameReader& frames) {
  auto content = content_of(batch, frames);
  if (!content) return content.error();
  auto split = codec::split_list(*content);
  if (!split) return split.error();
  OperationsByCounter operations;
  for (std::size_t i = 0; i < split->size(); ++i) operations.emplace(batch.first_counter() + i, (*split)[i]);
  return operations;
}

Result<OperationsByCounter> kept_operations(ReadTransaction& transaction, const DeviceRow& device, std::uint64_t first,
                                            std::uint64_t last, codec::FrameReader& frames) {
  OperationsByCounter kept;
  Result<void> read;
  transaction.batches_between(device.key, first, last, [&](const BatchRow& row) {
    v1::Batch batch;
    batch.set_first_counter(row.first_counter);
    batch.set_encoding(static_cast<v1::Encoding>(row.encoding));
    batch.set_content(row.content.data(), row.content.size());
    auto operations = operations_in(batch, frames);
    if (operations) kept.merge(*operations);
    if (!operations) read = Error{Errc::storage_corrupt, {}};
  });
  if (!read) return read.error();
  return kept;
}

}  // namespace

Result<std::uint64_t> last_equal(ReadTransaction& transaction, const DeviceRow& device, const v1::Batch& batch,
                                 codec::FrameReader& frames) {
  auto sent = operations_in(batch, frames);
  if (!sent) return sent.error();
  if (sent->empty()) return Error{Errc::malformed_request, "The batch holds no operation."};
  auto kept = kept_operations(transaction, device, batch.first_counter(), sent->rbegin()->first, frames);
  if (!kept) return kept.error();
  for (const auto& [counter, bytes] : *sent) {
    if (counter > device.last_counter) break;
    const auto known = kept->find(counter);
    if (known != kept->end() && known->second == bytes) continue;
    if (counter == batch.first_counter()) return Error{Errc::device_forked, {}};
    return counter - 1;
  }
  return device.last_counter;
}

}  // namespace fieldsync::server
