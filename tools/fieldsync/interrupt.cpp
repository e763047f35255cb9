#include "fieldsync/interrupt.h"

#include <pthread.h>

#include <utility>

namespace fieldsync::cli {
namespace {

// Sent by the watch to its own thread only.
constexpr int stop_signal = SIGUSR1;

}  // namespace

HeldSignals::HeldSignals() {
  sigemptyset(&held_);
  for (const int signal : {SIGINT, SIGTERM, stop_signal}) sigaddset(&held_, signal);
  pthread_sigmask(SIG_BLOCK, &held_, &before_);
}

HeldSignals::~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

InterruptWatch::InterruptWatch(const HeldSignals& signals, std::function<void()> on_interrupt)
    : thread_([set = signals.set(), call = std::move(on_interrupt)] {
        int received = 0;
        while (sigwait(&set, &received) == 0 && received != stop_signal) call();
      }) {}

InterruptWatch::~InterruptWatch() {
  pthread_kill(thread_.native_handle(), stop_signal);
  thread_.join();
}

}  // namespace fieldsync::cli
