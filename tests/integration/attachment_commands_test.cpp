// `fieldsync attach`, `attachments` and `open`: a file goes in, to the office and to another
// device, and comes out byte for byte.
#include <catch2/catch.hpp>
#include <filesystem>

#include "support/test_server.h"

using namespace fieldsync::testing;
namespace fs = std::filesystem;

namespace {

// Every byte there is, in more than one piece of what a device stores.
std::string photo_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>((i * 2654435761U) >> 13);
  return bytes;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// The devices of one person, "phone" and whatever else is enrolled.
struct Devices {
  TestServer server;
  const std::string photo = photo_bytes(2'300'000);
  const std::string small = photo_bytes(3'000);
  const std::string photo_file = server.path("IMG_1.JPG");
  const std::string small_file = server.path("small.jpg");

  Devices() {
    write_to(photo_file, photo);
    write_to(small_file, small);
    server.enrol("phone");
  }
  std::string on(const std::string& device, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "--json");
    const Finished finished = server.app(device, arguments);
    INFO(finished.output);
    REQUIRE(finished.exit_code == 0);
    return finished.output;
  }
  std::string made(const std::string& form, const std::string& assignment) const {
    return json_value(on("phone", {"new", form, assignment}), "id");
  }
  // The bytes that `open` writes, to a file that only the owner may read.
  std::string opened(const std::string& device, std::vector<std::string> arguments) const {
    const std::string file = server.path("opened");
    arguments.insert(arguments.begin(), "open");
    arguments.insert(arguments.end(), {"--output", file});
    on(device, arguments);
    CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    const std::string bytes = content_of(file);
    fs::remove(file);
    return bytes;
  }
  // It is not there; it was asked for and comes with the next sync.
  void has_to_come(const std::string& device, const std::string& record, const std::string& field) const {
    const Finished finished = server.app(device, {"open", record, field, "--output", server.path("too early")});
    INFO(finished.output);
    CHECK(finished.exit_code == 1);
    CHECK(finished.output.find("[attachment_not_here]\n") != std::string::npos);
    CHECK_FALSE(fs::exists(server.path("too early")));
    on(device, {"sync"});
  }
};

}  // namespace

TEST_CASE("A file that is attached is opened again byte for byte, here and on another device") {
  const Devices devices;
  CHECK(devices.on("phone", {"attachments"}) == "[]\n");
  const std::string record = devices.made("follow_up", "evidence=The window is mended.");
  const std::string attached =
      devices.on("phone", {"attach", record, "evidence_files=" + devices.photo_file, "--preview", devices.small_file});
  CHECK(json_value(attached, "id") == record);
  CHECK((devices.opened("phone", {record, "evidence_files"}) == devices.photo));
  CHECK((devices.opened("phone", {record, "evidence_files", "--preview"}) == devices.small));
  const std::string waiting = devices.on("phone", {"attachments"});
  CHECK(count_of(waiting, R"("stage":"waiting")") == 2);
  CHECK(count_of(waiting, R"("kind":"photo")") == 1);
  CHECK(count_of(waiting, R"("kind":"preview")") == 1);
  CHECK(count_of(waiting, R"("record":")" + record + '"') == 2);
  devices.on("phone", {"sync"});
  CHECK(count_of(devices.on("phone", {"attachments"}), R"("stage":"at_office")") == 2);

  devices.server.enrol("tablet");
  CHECK((devices.opened("tablet", {record, "evidence_files", "--preview"}) == devices.small));
  devices.has_to_come("tablet", record, "evidence_files");
  CHECK((devices.opened("tablet", {record, "evidence_files"}) == devices.photo));
  const Finished piped = devices.server.app("tablet", {"open", record, "evidence_files", "--output", "-"});
  CHECK((piped.output == devices.photo));
}

TEST_CASE("Several files of one field are opened by their number, and a photo by its item") {
  const Devices devices;
  const std::string list = devices.made("follow_up", "evidence=The window is mended.");
  devices.on("phone", {"attach", list, "evidence_files=" + devices.photo_file});
  devices.on("phone", {"attach", list, "evidence_files=" + devices.small_file});
  const std::string first = devices.opened("phone", {list, "evidence_files", "--pick", "1"});
  const std::string second = devices.opened("phone", {list, "evidence_files", "--pick", "2"});
  CHECK(((first == devices.photo && second == devices.small) || (first == devices.small && second == devices.photo)));
  const std::string check = devices.made("register_check", "entries_sampled=12");
  devices.on("phone", {"attach", check, "anomalies[new].anomaly_photo=" + devices.photo_file});
  const std::string item = json_value(devices.on("phone", {"show", check}), "item");
  CHECK((devices.opened("phone", {check, "anomalies[" + item + "].anomaly_photo"}) == devices.photo));
}

TEST_CASE("What the office has is freed on the device, and comes back when it is opened") {
  const Devices devices;
  const std::string record = devices.made("follow_up", "evidence=The window is mended.");
  devices.on("phone", {"attach", record, "evidence_files=" + devices.photo_file});
  CHECK(json_value(devices.on("phone", {"attachments", "--free"}), "freed_bytes") == "0");
  CHECK((devices.opened("phone", {record, "evidence_files"}) == devices.photo));
  devices.on("phone", {"sync"});
  CHECK(json_value(devices.on("phone", {"attachments", "--free"}), "freed_bytes") ==
        std::to_string(devices.photo.size()));
  CHECK(devices.on("phone", {"attachments"}) == "[]\n");
  devices.has_to_come("phone", record, "evidence_files");
  CHECK((devices.opened("phone", {record, "evidence_files"}) == devices.photo));
}
