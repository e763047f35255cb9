// event_log.h: the server's log: one line an event. Nothing that a caller wrote is in it: of a request
// only which of our own addresses it was for, of a failure its type and our code. So no content, no name,
// no key and no code can be in it, and no line be forged.
//
// Who sends bad requests cannot fill the disk: of callers that are not enrolled 10 lines a minute are
// written, of each device 120, and then one line with how many there were.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "core/id.h"
#include "core/time.h"

namespace fieldsync::server {

enum class LogFormat : std::uint8_t { text, json };
enum class LogLevel : std::uint8_t { debug, info, warn, error };

inline constexpr std::uint32_t stranger_lines_per_minute_max = 10;
inline constexpr std::uint32_t device_lines_per_minute_max = 120;

struct EventLogSettings {
  LogFormat format = LogFormat::text;
  bool with_addresses = false;  // of callers
};

// Names and values of one line, in order.
class LogFields {
 public:
  LogFields(LogFormat format, std::string_view event);

  // What is no plain word is quoted, and what a terminal or a reader of lines obeys escaped.
  LogFields& add(std::string_view name, std::string_view value);
  LogFields& add(std::string_view name, std::uint64_t value);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void begin(std::string_view name);

  LogFormat format_;
  std::string text_;
};

// What is known of a request once it was answered.
struct RequestEvent {
  std::string_view id;
  std::string_view target;  // as sent: only which of ours it is comes into the log
  core::DeviceId device;    // none where the caller is not enrolled
  std::string_view address;
  std::string_view outcome;  // "ok", or the refusal's code
  int status = 0;
  std::int64_t took_ms = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

// Threads: any.
class EventLog {
 public:
  using Write = std::function<void(LogLevel, const std::string&)>;

  // `clock`: for the limits; ms since any beginning.
  EventLog(const EventLogSettings& settings, std::function<core::Instant()> clock, Write write)
      : settings_(settings), clock_(std::move(clock)), write_(std::move(write)) {}

  void request(const RequestEvent& event);
  // The connection ended, or something failed, once the answer had begun, or with nobody to answer to.
  void request_ended_early(std::string_view id, const core::DeviceId& device, std::string_view outcome);
  // `type`: of the exception.
  void request_failed(std::string_view id, const core::DeviceId& device, std::string_view type);
  // `words`: of our own command line.
  void command(std::string_view words, std::string_view outcome);
  void serving(std::uint16_t port);
  // Since the last such line: beyond the limits, and because too many waited.
  void turned_away(std::uint64_t connections, std::uint64_t requests);
  // The limit of open files leaves room for so many.
  void fewer_connections(std::uint64_t connections_max);
  void certificate_read(std::string_view outcome);
  void stopping();
  void stopped();

  // To be called each minute: how many lines were left out.
  void tell_left_out();

 private:
  struct Minute {
    core::Instant began;
    std::uint32_t written = 0;
    std::uint64_t left_out = 0;
  };

  [[nodiscard]] LogFields begin(std::string_view event) const { return {settings_.format, event}; }
  void limited(const core::DeviceId& device, LogLevel level, const LogFields& fields);
  void tell(const core::DeviceId& device, const Minute& minute, core::Instant now);

  EventLogSettings settings_;
  std::function<core::Instant()> clock_;
  Write write_;
  std::mutex mutex_;
  std::map<core::DeviceId, Minute> minutes_;  // none: of all callers that are not enrolled
};

// The type of an exception, which may be told: its text may hold anything.
[[nodiscard]] std::string type_of(const std::exception& error);

}  // namespace fieldsync::server
