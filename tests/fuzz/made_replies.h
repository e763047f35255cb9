// made_replies.h: a server's replies out of a fuzzer's bytes. Random bytes are almost
// never a reply that a device takes; these are replies whose insides are random.
#pragma once

#include <cstdint>

#include "fieldsync/v1/sync.pb.h"
#include "fuzz/input.h"

namespace fieldsync::fuzz {

// To the phone of sound_team.h, which knows that `acknowledged` is acknowledged. The
// last batch's hash is left to the caller.
[[nodiscard]] v1::SyncReply make_reply(Input& input, std::uint64_t acknowledged);

}  // namespace fieldsync::fuzz
