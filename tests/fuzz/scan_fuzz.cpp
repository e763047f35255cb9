// scan_fuzz.cpp: the look at protobuf bytes before they are parsed, and the parsing.
#include <google/protobuf/arena.h>
#include <google/protobuf/stubs/logging.h>

#include "codec/wire_scan.h"
#include "fieldsync/v1/enrol.pb.h"
#include "fieldsync/v1/sync.pb.h"
#include "fuzz/input.h"
#include "fuzz/must_hold.h"
#include "fuzz/target.h"

namespace {

using namespace fieldsync;
using fuzz::must_hold;
using google::protobuf::Message;

const Message& prototype(std::uint32_t choice) {
  static const v1::SyncRequest sync_request;
  static const v1::EnrolRequest enrol_request;
  static const v1::SyncReply sync_reply;
  static const v1::OperationList operations;
  switch (choice) {
    case 0: return sync_request;
    case 1: return enrol_request;
    case 2: return sync_reply;
    default: return operations;
  }
}

// What was let in is a message without unknown fields; written anew it is let in again.
void check_accepted(std::string_view bytes, const Message& type, std::size_t elements) {
  google::protobuf::Arena arena;
  Message& message = *type.New(&arena);
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;  // text that is not UTF-8
  const std::string again = message.SerializeAsString();
  // An enumeration's number is cut to 32 bits, and where that makes it negative, what
  // came in five bytes is written in ten.
  must_hold(again.size() <= 2 * bytes.size(), "a message holds nothing that its bytes did not");
  std::size_t elements_again = 0;
  must_hold(static_cast<bool>(codec::scan_message(again, *type.GetDescriptor(), codec::request_limits, elements_again)),
            "what was parsed and written is let in");
  must_hold(elements_again <= elements, "the elements of a message were all counted");
  Message& reread = *type.New(&arena);
  must_hold(reread.ParseFromString(again) && reread.SerializeAsString() == again, "written and read is the same");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  google::protobuf::SetLogHandler(nullptr);
  fuzz::Input input(data, size);
  const Message& type = prototype(input.below(4));
  const std::string_view bytes = input.rest();
  std::size_t elements = 0;
  if (!codec::scan_message(bytes, *type.GetDescriptor(), codec::request_limits, elements)) return 0;
  must_hold(elements <= codec::request_limits.elements_max, "no more elements than the limit are let in");
  if (elements > 0) {
    std::size_t counted = 0;
    const codec::WireLimits tight{elements - 1, codec::request_limits.depth_max};
    must_hold(!codec::scan_message(bytes, *type.GetDescriptor(), tight, counted), "the limit is the limit");
  }
  check_accepted(bytes, type, elements);
  return 0;
}
