// interrupt.h: Ctrl-C and a polite kill as a call on an ordinary thread, where
// anything may be done that a signal handler may not do.
#pragma once

#include <csignal>
#include <functional>
#include <thread>

namespace fieldsync::cli {

// As long as it lives, the signals wait instead of ending the program. Make it
// before any other thread is started, so that all inherit it.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  [[nodiscard]] const sigset_t& set() const { return held_; }

 private:
  sigset_t held_;
  sigset_t before_;
};

// Calls a function for each of the signals, on a thread of its own, until the
// watch is destroyed; the last call has returned then.
class InterruptWatch {
 public:
  // `signals` must outlive the watch, and so must what the function uses.
  InterruptWatch(const HeldSignals& signals, std::function<void()> on_interrupt);
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

 private:
  std::thread thread_;
};

}  // namespace fieldsync::cli
