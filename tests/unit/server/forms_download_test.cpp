// Forms on their way: compressed for devices that share the dictionary, as
// messages for everybody else, and stored by the device as the office has them.
#include "codec/form_codec.h"
#include "codec/frame.h"
#include "storage/directory.h"
#include "storage/schema.h"
#include "support/test_unlocking.h"
#include "test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

v1::SyncReply reply_in(TestOffice& office, server::BodyStyle style, std::uint64_t forms_version = 0) {
  const TestDevice device = office.add_device();
  v1::SyncRequest request = device.request();
  request.set_forms_version(forms_version);
  const auto reply = office.service->sync(device.id, request, style);
  REQUIRE(reply);
  return *reply;
}

// A device's store in a folder of its own.
struct DeviceStore {
  TemporaryFolder folder;
  std::unique_ptr<sqlite::Connection> connection =
      std::move(*storage::open_store((folder.path() / "device.db").string(), true));
  storage::Vault vault{*connection};
  storage::Directory directory{*connection, vault};
  DeviceStore() { REQUIRE(open_vault(*connection, vault)); }
};

std::vector<std::string> names(storage::Directory& directory) {
  std::vector<std::string> names;
  for (const core::Form& form : directory.forms()) names.push_back(form.name);
  return names;
}

}  // namespace

TEST_CASE("Forms travel as one frame to a device with the dictionary, and as messages to others") {
  TestOffice office;
  for (const auto style : {server::BodyStyle::plain, server::BodyStyle::expanded}) {
    const auto reply = reply_in(office, style);
    CHECK(reply.forms_size() == 2);
    CHECK(reply.forms_frame().empty());
  }
  const auto plain = reply_in(office, server::BodyStyle::plain);
  const auto framed = reply_in(office, server::BodyStyle::frame);
  CHECK(framed.forms_size() == 0);
  const auto content = codec::FrameReader().decompress(framed.forms_frame(), 1024 * 1024);
  REQUIRE(content);
  v1::FormList list;
  REQUIRE(list.ParseFromString(*content));
  REQUIRE(list.forms_size() == 2);
  for (int i = 0; i < 2; ++i) CHECK(list.forms(i).SerializeAsString() == plain.forms(i).SerializeAsString());
}

TEST_CASE("A device that has the newest forms gets none") {
  TestOffice office;
  const auto first = reply_in(office, server::BodyStyle::frame);
  const auto second = reply_in(office, server::BodyStyle::frame, first.forms_version());
  CHECK(second.forms_frame().empty());
  CHECK(second.forms_version() == 0);
}

TEST_CASE("A device stores the same forms from a frame and from messages") {
  TestOffice office;
  for (const auto style : {server::BodyStyle::plain, server::BodyStyle::frame}) {
    DeviceStore device;
    storage::Transaction transaction(device.vault);
    REQUIRE(device.directory.put_forms(reply_in(office, style)));
    CHECK(names(device.directory) == std::vector<std::string>{"facility", "visit"});
    REQUIRE(device.directory.form("visit") != nullptr);
    CHECK(device.directory.form("visit")->fields.size() == 4);
  }
}

TEST_CASE("Forms in a frame that the device cannot read are an incompatible server's") {
  codec::FrameWriter writer;
  for (const std::string& frame :
       {std::string("no frame"), writer.compress("no list of forms"), writer.compress("\x0a\x05").substr(0, 9)}) {
    DeviceStore device;
    v1::SyncReply reply;
    reply.set_forms_frame(frame);
    const auto put = device.directory.put_forms(reply);
    REQUIRE_FALSE(put);
    CHECK(put.error().code == Errc::incompatible_server);
    check_sentence(put.error().message());
    CHECK(device.directory.forms().empty());
  }
}
