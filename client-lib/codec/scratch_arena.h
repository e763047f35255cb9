// scratch_arena.h: a protobuf arena for one message at a time, whose first block
// is on the stack: most messages then cost no allocation at all.
#pragma once

#include <google/protobuf/arena.h>

namespace fieldsync::codec {

class ScratchArena {
 public:
  ScratchArena() : arena_(options(block_, sizeof block_)) {}
  ScratchArena(const ScratchArena&) = delete;
  ScratchArena& operator=(const ScratchArena&) = delete;

  // Lives as long as the arena.
  template <typename Message>
  [[nodiscard]] Message& make() {
    return *google::protobuf::Arena::CreateMessage<Message>(&arena_);
  }

 private:
  static google::protobuf::ArenaOptions options(char* block, std::size_t size) {
    google::protobuf::ArenaOptions options;
    options.initial_block = block;
    options.initial_block_size = size;
    return options;
  }

  alignas(16) char block_[16 * 1024];
  google::protobuf::Arena arena_;
};

}  // namespace fieldsync::codec
