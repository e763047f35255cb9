// monitor.h: a person at work on a device: opens reports, writes, saves, settles
// conflicts, and collides with colleagues as often as possible.
#pragma once

#include "sim/device.h"
#include "sim/photographer.h"

namespace fieldsync::sim {

class Monitor {
 public:
  // `terse`: writes nothing but summaries, so that everybody collides in one field.
  Monitor(Run& run, Device& device, bool terse)
      : run_(run),
        device_(device),
        terse_(terse),
        photographer_(run, device, [this](const core::Attachment& attachment) { name(attachment); }) {}

  // One small piece of work.
  void act();
  // Writes what only the form's newest version has, where the device has that version.
  void fill_in_new_field();
  // Looks after one of the saves that the office refused: sends it again, or lets it be.
  void put_right();
  // Saves or closes every form that is open.
  void put_away();

 private:
  [[nodiscard]] bool can_act();
  [[nodiscard]] std::optional<Screen> look_up_record();
  // Nothing where it cannot be opened.
  [[nodiscard]] std::optional<Screen> show(Result<RecordEditor> editor);
  void begin_record();
  void open_record();
  void settle_conflict();
  void delete_or_restore();
  void save_poisoned();
  void amend(const RefusedOperation& refused);
  void note_settled(const RefusedOperation& refused, const Result<void>& done);
  void write_something(Screen& screen);
  void write_field(Screen& screen, const std::string& field);
  void write_item(RecordEditor& editor);
  void name(const core::Attachment& attachment);
  void save(Screen& screen);
  void finish(Screen screen);
  // What a save, or another call that stores, came to.
  void note(const Result<void>& done, const std::string& what);
  [[nodiscard]] std::string words();
  [[nodiscard]] std::optional<core::RecordId> some_record();

  Run& run_;
  Device& device_;
  bool terse_;
  Photographer photographer_;
  std::uint64_t failures_before_ = 0;  // of the disk, when the person began to act
};

}  // namespace fieldsync::sim
