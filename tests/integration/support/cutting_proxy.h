// cutting_proxy.h: a link to a server that breaks after a given number of bytes.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace fieldsync::testing {

inline constexpr std::uint64_t never_cut = UINT64_MAX;

// How many bytes pass in each direction before the link is cut.
struct Passes {
  std::uint64_t up = never_cut;
  std::uint64_t down = never_cut;
};

// Listens on a port of its own; one connection at a time, on a thread of its own.
class CuttingProxy {
 public:
  explicit CuttingProxy(int server_port);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  [[nodiscard]] int port() const { return port_; }
  // For connections made from now on. Once cut, both sides see a reset where
  // `reset` is set, else an end; later connections are refused until the next call.
  void allow(Passes passes, bool reset);
  // Of the last connection, until it ended.
  [[nodiscard]] Passes carried() const { return {up_, down_}; }

 private:
  void run();
  void carry(int device);

  int port_ = 0;
  int server_port_ = 0;
  int listener_ = -1;
  std::atomic<std::uint64_t> allowed_up_ = never_cut, allowed_down_ = never_cut;
  std::atomic<bool> reset_ = false, is_cut_ = false, ending_ = false;
  std::atomic<std::uint64_t> up_ = 0, down_ = 0;
  std::thread thread_;
};

}  // namespace fieldsync::testing
