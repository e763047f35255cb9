#include "api/environment.h"

#include <sodium.h>

#include <chrono>
#include <filesystem>

namespace fieldsync::api {
namespace {

template <typename Clock>
std::int64_t milliseconds_of() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count();
}

}  // namespace

Environment real_environment() {
  Environment environment;
  environment.wall_clock = [] { return core::Instant{milliseconds_of<std::chrono::system_clock>()}; };
  environment.steady_clock = [] { return core::Milliseconds{milliseconds_of<std::chrono::steady_clock>()}; };
  environment.jitter = [] { return static_cast<double>(randombytes_random()) / 4294967295.0; };
  environment.free_space = [](const std::string& file) -> std::optional<std::uint64_t> {
    std::error_code error;
    const auto space = std::filesystem::space(std::filesystem::path(file).parent_path(), error);
    return error ? std::nullopt : std::optional<std::uint64_t>(space.available);
  };
  environment.make_key = tls::make_device_key;
  environment.connect = transport::make_https_transport;
  return environment;
}

}  // namespace fieldsync::api
