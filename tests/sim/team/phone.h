// phone.h: the real client on a simulated machine. Its requests reach the office
// by a function call instead of a network.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "api/local_store.h"
#include "fieldsync/database.h"
#include "sim/disk/machine.h"
#include "sim/team/office.h"
#include "tls/key_pair.h"

namespace fieldsync::team {

// What is around a phone.
struct Surroundings {
  std::function<Office*()> office;        // who answers; null where it is not open
  std::function<void()> about_to_send;    // a request is made and stored
  std::function<void()> office_answered;  // the office made its answer
  std::function<void()> office_threw;     // the office had no memory to make one, or broke it off
};

class Phone {
 public:
  Phone(sim::Machine& machine, Person person, Surroundings surroundings);

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] sim::Machine& machine() { return machine_; }

  Result<void> open();
  void close() { database_.reset(); }
  // Closes it, and destroys its store.
  Result<void> wipe();
  [[nodiscard]] bool is_open() const { return database_ != nullptr; }
  // Nothing is left of its store, or nothing was ever made.
  [[nodiscard]] bool is_empty() const;
  // Pre: it is open.
  [[nodiscard]] Database& database() { return *database_; }

  Result<void> enrol();
  // Once more with the second code: a forked store becomes another device.
  Result<void> enrol_anew();
  // Pre: it is open.
  [[nodiscard]] bool is_anew() const;
  // One sync without a second try.
  Result<void> sync();
  // Its id, known without the store; after enrol_anew() the other one too.
  [[nodiscard]] const core::DeviceId& first_device() const { return first_.device; }
  [[nodiscard]] const core::DeviceId& second_device() const { return second_.device; }
  // How many operations this device has saved; after enrol_anew() the other one.
  [[nodiscard]] Result<std::uint64_t> saved();
  // The record with this title, or none.
  [[nodiscard]] Result<core::RecordId> find(const std::string& title);

 private:
  [[nodiscard]] api::Environment environment();

  sim::Machine& machine_;
  std::string file_;
  std::string enrolment_text_;
  Surroundings surroundings_;
  // The same each time the store is made, and each time that it becomes another device.
  struct Key {
    tls::KeyPair pair = tls::make_device_key();
    std::string raw;  // the public one
    core::DeviceId device;
  };
  [[nodiscard]] static Key make_key();

  std::string second_enrolment_text_;
  Key first_;
  Key second_;
  bool becomes_second_ = false;  // who asks for a key is a forked store
  std::unique_ptr<Database> database_;
  api::LocalStore* store_ = nullptr;  // database_ owns it
};

}  // namespace fieldsync::team
