#include "app/event_log.h"

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <typeinfo>

namespace fieldsync::server {
namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::size_t short_id_digits = 8;

std::string device_text(const core::DeviceId& device) {
  return device.is_none() ? "-" : device.hex().substr(0, short_id_digits);
}

// Not which attachment it was: that would show who has it to whoever knows its hash.
std::string_view route_of(std::string_view target) {
  constexpr std::string_view attachments = "/v1/attachments/";
  if (target.starts_with(attachments)) return attachments.substr(0, attachments.size() - 1);
  for (const std::string_view known : {"/v1/sync", "/v1/sync?hand_in", "/v1/enrol"}) {
    if (target == known) return known.substr(0, known.find('?'));
  }
  return "other";
}

bool is_plain(char letter) { return letter > ' ' && letter < 0x7F && letter != '"' && letter != '\\' && letter != '='; }

std::string escaped(std::string_view value) {
  std::string text;
  for (const char letter : value) {
    if (is_plain(letter) || letter == ' ' || letter == '=') {
      text += letter;
      continue;
    }
    std::array<char, 8> hex{};
    std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(letter)));
    text += hex.data();
  }
  return text;
}

}  // namespace

LogFields::LogFields(LogFormat format, std::string_view event) : format_(format) { add("event", event); }

void LogFields::begin(std::string_view name) {
  if (format_ == LogFormat::json) {
    text_ += (text_.empty() ? "\"" : ",\"") + std::string(name) + "\":";
  } else {
    text_ += (text_.empty() ? "" : " ") + std::string(name) + "=";
  }
}

LogFields& LogFields::add(std::string_view name, std::string_view value) {
  begin(name);
  const std::string shown = escaped(value);
  if (format_ == LogFormat::json) {
    text_ += boost::json::serialize(boost::json::string_view(shown.data(), shown.size()));
  } else {
    const bool is_word = !value.empty() && std::all_of(value.begin(), value.end(), is_plain);
    text_ += is_word ? shown : '"' + shown + '"';
  }
  return *this;
}

LogFields& LogFields::add(std::string_view name, std::uint64_t value) {
  begin(name);
  text_ += std::to_string(value);
  return *this;
}

void EventLog::request(const RequestEvent& event) {
  LogFields fields = begin("request");
  fields.add("request", event.id).add("device", device_text(event.device)).add("route", route_of(event.target));
  fields.add("outcome", event.outcome).add("status", static_cast<std::uint64_t>(event.status));
  fields.add("ms", static_cast<std::uint64_t>(std::max<std::int64_t>(event.took_ms, 0)));
  fields.add("bytes_in", event.bytes_in).add("bytes_out", event.bytes_out);
  if (settings_.with_addresses) fields.add("address", event.address.empty() ? "-" : event.address);
  limited(event.device, LogLevel::info, fields);
}

void EventLog::request_ended_early(std::string_view id, const core::DeviceId& device, std::string_view outcome) {
  LogFields fields = begin("request_ended_early");
  fields.add("request", id).add("device", device_text(device)).add("outcome", outcome);
  limited(device, LogLevel::info, fields);
}

void EventLog::request_failed(std::string_view id, const core::DeviceId& device, std::string_view type) {
  LogFields fields = begin("request_failed");
  fields.add("request", id).add("device", device_text(device)).add("outcome", "internal_error").add("type", type);
  limited(device, LogLevel::error, fields);
}

void EventLog::command(std::string_view words, std::string_view outcome) {
  write_(LogLevel::info, begin("command").add("command", words).add("outcome", outcome).text());
}

void EventLog::serving(std::uint16_t port) {
  write_(LogLevel::info, begin("serving").add("port", std::uint64_t{port}).text());
}

void EventLog::turned_away(std::uint64_t connections, std::uint64_t requests) {
  write_(LogLevel::warn, begin("turned_away").add("connections", connections).add("requests", requests).text());
}

void EventLog::fewer_connections(std::uint64_t connections_max) {
  write_(LogLevel::warn, begin("few_open_files").add("connections_max", connections_max).text());
}

void EventLog::certificate_read(std::string_view outcome) {
  const LogLevel level = outcome == "ok" ? LogLevel::info : LogLevel::error;
  write_(level, begin("certificate_read").add("outcome", outcome).text());
}

void EventLog::stopping() { write_(LogLevel::info, begin("stopping").text()); }

void EventLog::stopped() {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [device, minute] : minutes_) tell(device, minute, clock_());
    minutes_.clear();
  }
  write_(LogLevel::info, begin("stopped").text());
}

void EventLog::tell_left_out() {
  const core::Instant now = clock_();
  const std::lock_guard lock(mutex_);
  std::erase_if(minutes_, [&](const auto& entry) {
    if (now.ms - entry.second.began.ms < minute_ms) return false;
    tell(entry.first, entry.second, now);
    return true;
  });
}

void EventLog::limited(const core::DeviceId& device, LogLevel level, const LogFields& fields) {
  const core::Instant now = clock_();
  const std::lock_guard lock(mutex_);
  Minute& minute = minutes_.try_emplace(device, Minute{now}).first->second;
  if (now.ms - minute.began.ms >= minute_ms) {
    tell(device, minute, now);
    minute = {now};
  }
  const std::uint32_t most = device.is_none() ? stranger_lines_per_minute_max : device_lines_per_minute_max;
  if (minute.written >= most) {
    ++minute.left_out;
    return;
  }
  ++minute.written;
  write_(level, fields.text());
}

void EventLog::tell(const core::DeviceId& device, const Minute& minute, core::Instant now) {
  if (minute.left_out == 0) return;
  LogFields fields = begin("left_out");
  fields.add("device", device_text(device)).add("lines", minute.left_out);
  fields.add("seconds", static_cast<std::uint64_t>(std::max<std::int64_t>(now.ms - minute.began.ms, 0)) / 1000);
  write_(LogLevel::info, fields.text());
}

std::string type_of(const std::exception& error) {
  int failed = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &failed), std::free);
  return name ? name.get() : typeid(error).name();
}

}  // namespace fieldsync::server
