// photographer.h: what the person at a device does with attachments: adds them, names them in
// reports, asks for those of others, and makes room.
#pragma once

#include <functional>
#include <vector>

#include "sim/device.h"

namespace fieldsync::sim {

class Photographer {
 public:
  // `name`: writes the attachment into some report and saves it.
  Photographer(Run& run, Device& device, std::function<void(const core::Attachment&)> name)
      : run_(run), device_(device), name_(std::move(name)) {}

  // One small piece of work. Pre: the device is on.
  void act();

 private:
  void add();
  void name_one();
  void fetch();
  void free();
  void look_at_one();
  [[nodiscard]] PictureBytes new_bytes(std::uint32_t most);
  // False where nothing came of it: the person gave it up, or the disk failed.
  [[nodiscard]] bool write_one(const PictureBytes& bytes, const PictureBytes& preview);
  // Of the reports that the device shows, with the report in which each stands.
  [[nodiscard]] std::vector<std::pair<core::RecordId, core::Attachment>> shown();
  // Throws BrokenPromise where nothing else can have been the cause.
  void check_disk_failed(const Error& error, const std::string& what) const;

  Run& run_;
  Device& device_;
  std::function<void(const core::Attachment&)> name_;
  std::vector<core::Attachment> unnamed_;
  std::uint64_t failures_before_ = 0;
};

}  // namespace fieldsync::sim
