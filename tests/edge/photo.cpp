#include "edge/photo.h"

#include <signal.h>
#include <sodium.h>
#include <sys/wait.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

#include "bench/measure.h"
#include "edge/must.h"
#include "fieldsync/database.h"
#include "support/unlocked_store.h"

namespace fieldsync::edge {
namespace {

namespace json = boost::json;

constexpr std::uint32_t photo_bytes = 1'000'000;
constexpr double cut_every_seconds = 20;

// What happens on the way of one photo.
enum class Trouble { none, link_cut_at_half, device_killed_at_half, office_killed_at_half, link_cut_every_20_seconds };

struct Bar {
  const char* name;
  Trouble trouble;
  double seconds_max;       // 0: no limit
  std::uint64_t bytes_max;  // that the device's programs send; what TCP repeats is its own
};
constexpr Bar bars[] = {{"photo", Trouble::none, 0, 1'040'000},
                        {"photo_link_cut_at_half", Trouble::link_cut_at_half, 90, 1'040'000},
                        {"photo_device_killed_at_half", Trouble::device_killed_at_half, 90, 1'040'000},
                        {"photo_office_killed_at_half", Trouble::office_killed_at_half, 90, 1'040'000},
                        {"photo_link_cut_every_20_s", Trouble::link_cut_every_20_seconds, 0, 1'100'000}};

std::string content_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// What is on the phone already: enrolled, synced, a record with a photo that no sync has sent.
void prepare_device(const std::string& folder, const Namespaces& namespaces) {
  std::filesystem::remove(folder + "/begin");
  Link quick(namespaces, {std::chrono::milliseconds(1), 1e9, 1024 * 1024});
  if (quick.carry(namespaces.start(Namespaces::device, {"/proc/self/exe", "--photo-device", folder})) != 0)
    throw std::runtime_error("the device could not be prepared");
  std::ofstream(folder + "/begin") << "send";
}

class Trial {
 public:
  Trial(const std::string& folder, const Namespaces& namespaces, OfficeProcess& office, const LinkSettings& settings,
        const Bar& bar)
      : folder_(folder), namespaces_(namespaces), office_(office), link_(namespaces, settings), bar_(bar) {}

  json::object run() {
    prepare_device(folder_, namespaces_);
    const double began = bench::now_seconds();
    next_cut_ = began + cut_every_seconds;
    int result = -1;
    while (result != 0) {
      device_ = namespaces_.start(Namespaces::device, {"/proc/self/exe", "--photo-device", folder_});
      result = link_.carry(device_, [this] { return watch(); });
      if (result > 0) throw std::runtime_error("the device gave up");
    }
    const double seconds = bench::now_seconds() - began;
    const std::uint64_t bytes = link_.payload_bytes_up();
    const bool within = (bar_.seconds_max == 0 || seconds <= bar_.seconds_max) && bytes <= bar_.bytes_max;
    json::object out{{"seconds", seconds},
                     {"bytes_up", bytes},
                     {"repeated_by_tcp", link_.repeated_bytes_up()},
                     {"bytes_max_allowed", bar_.bytes_max}};
    if (bar_.seconds_max > 0) out["seconds_max_allowed"] = bar_.seconds_max;
    out["interruptions"] = interruptions_;
    out["within"] = within;
    return out;
  }

 private:
  // False where the device is to be started anew.
  bool watch() {
    if (bar_.trouble == Trouble::link_cut_every_20_seconds) {
      if (bench::now_seconds() < next_cut_) return true;
      next_cut_ += cut_every_seconds;
      ++interruptions_;
      link_.cut();
      return true;
    }
    if (bar_.trouble == Trouble::none || interruptions_ > 0 || link_.payload_bytes_up() < photo_bytes / 2) return true;
    ++interruptions_;
    if (bar_.trouble == Trouble::link_cut_at_half) link_.cut();
    if (bar_.trouble == Trouble::office_killed_at_half) office_.kill_and_start();
    if (bar_.trouble != Trouble::device_killed_at_half) return true;
    ::kill(device_, SIGKILL);
    ::waitpid(device_, nullptr, 0);
    return false;
  }

  std::string folder_;
  const Namespaces& namespaces_;
  OfficeProcess& office_;
  Link link_;
  Bar bar_;
  pid_t device_ = -1;
  double next_cut_ = 0;
  int interruptions_ = 0;
};

}  // namespace

OfficeProcess::OfficeProcess(const Namespaces& namespaces, std::string folder)
    : namespaces_(namespaces), folder_(std::move(folder)) {
  start();
}

OfficeProcess::~OfficeProcess() { stop(SIGTERM); }

void OfficeProcess::start() {
  const std::string socket = folder_ + "/control.sock";
  std::filesystem::remove(socket);
  process_ = namespaces_.start(Namespaces::office, {"/bin/sh", "-c", R"(exec "$0" --dir "$1" serve > "$1.log" 2>&1)",
                                                    FIELDSYNC_SERVER, folder_});
  while (!std::filesystem::exists(socket)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

void OfficeProcess::stop(int signal) {
  ::kill(process_, signal);
  ::waitpid(process_, nullptr, 0);
}

void OfficeProcess::kill_and_start() {
  stop(SIGKILL);
  start();
}

int measure_photos(const std::string& folder, const LinkSettings& settings) {
  const Namespaces namespaces(settings.congestion_control);
  OfficeProcess office(namespaces, folder + "/server");
  json::object out;
  bool within = true;
  for (const Bar& bar : bars) {
    std::cerr << bar.name << " ..." << std::endl;
    json::object result = Trial(folder, namespaces, office, settings, bar).run();
    within = within && result.at("within").as_bool();
    out[bar.name] = std::move(result);
  }
  std::cout << json::serialize(out) << std::endl;
  return within ? 0 : 1;
}

int send_photo(const std::string& folder) {
  const auto database = must(
      Database::open({.directory = folder + "/device", .credentials = testing::app_credentials(), .lock_after = {}}));
  if (!database->identity().enrolled) must(database->enrol(content_of(folder + "/enrolment"), "edge"));
  if (!std::filesystem::exists(folder + "/begin")) {
    must(database->sync({}));
    std::string photo(photo_bytes, '\0');
    randombytes_buf(photo.data(), photo.size());
    AttachmentWriter writer =
        must(database->add_attachment({core::AttachmentKind::photo, "image/jpeg", "IMG_1.jpg", {}}));
    must(writer.write(photo));
    RecordEditor editor = must(database->create("follow_up", must(database->scopes()).front().id));
    must(editor.set("evidence_files", core::Value(must(writer.finish()))));
    must(editor.save());
    return 0;
  }
  while (must(database->status()).attachments_waiting > 0) must(database->sync({.retries = 100}));
  return 0;
}

}  // namespace fieldsync::edge
