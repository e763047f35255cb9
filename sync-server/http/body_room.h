// body_room.h: how many bytes of bodies that are held whole may be under way, in all and of one peer.
//
// A body may come as slowly as its link is, and takes its memory meanwhile: without this, one device with
// many connections would hold as much as they all may bring.
//
// Threads  Any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace fieldsync::server {

class BodyRoom {
 public:
  struct Limits {
    std::uint64_t in_all;
    std::uint64_t of_one_peer;
  };
  class Share;

  explicit BodyRoom(const Limits& limits) : limits_(limits) {}

  // For as long as the share lives. Null where it would be too many. The room outlives it.
  [[nodiscard]] std::unique_ptr<Share> take(const std::string& peer_key, std::uint64_t bytes);

 private:
  Limits limits_;
  std::mutex mutex_;
  std::uint64_t in_all_ = 0;
  std::map<std::string, std::uint64_t> of_one_;
};

class BodyRoom::Share {
 public:
  ~Share();
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

 private:
  friend class BodyRoom;
  Share(BodyRoom& room, std::string peer_key) : room_(room), peer_key_(std::move(peer_key)) {}

  BodyRoom& room_;
  std::string peer_key_;
  std::uint64_t bytes_ = 0;
};

}  // namespace fieldsync::server
