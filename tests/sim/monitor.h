// monitor.h: a person at work on a device: opens reports, writes, saves, settles
// conflicts, and collides with colleagues as often as possible.
#pragma once

#include "sim/device.h"

namespace fieldsync::sim {

class Monitor {
 public:
  Monitor(Run& run, Device& device) : run_(run), device_(device) {}

  // One small piece of work.
  void act();
  // Saves or closes every form that is open.
  void put_away();

 private:
  void begin_record();
  void open_record();
  void settle_conflict();
  void delete_or_restore();
  void save_poisoned();
  void write_something(RecordEditor& editor);
  void write_field(RecordEditor& editor, const std::string& field);
  void write_item(RecordEditor& editor);
  void save(Screen& screen);
  void finish(Screen screen);
  // What a save, or another call that stores, came to.
  void note(const Result<void>& done, const std::string& what);
  [[nodiscard]] std::string words();
  [[nodiscard]] std::optional<core::RecordId> some_record();

  Run& run_;
  Device& device_;
};

}  // namespace fieldsync::sim
