// The server dies, or its disk fails, at each step of an upload: of the files and of the store.
#include "attachment_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

struct Crash {};

enum class Ending { crash_before, crash_after, disk_full, disk_failed };

// Counts the steps; one of them ends in this way.
class Steps {
 public:
  Steps(int fatal, Ending ending) : fatal_(fatal), ending_(ending) {}

  template <typename Body>
  auto take(Body body) -> decltype(body()) {
    const bool is_fatal = ++taken_ == fatal_;
    if (is_fatal && ending_ == Ending::crash_before) throw Crash{};
    if (is_fatal && ending_ == Ending::disk_full) return Error{Errc::storage_full, {}};
    if (is_fatal && ending_ == Ending::disk_failed) return Error{Errc::storage_failed, {}};
    auto done = body();
    if (is_fatal && ending_ == Ending::crash_after) throw Crash{};
    return done;
  }
  [[nodiscard]] bool reached() const { return taken_ >= fatal_; }

 private:
  int fatal_;
  Ending ending_;
  int taken_ = 0;
};

class SteppedStore final : public server::Store {
 public:
  SteppedStore(server::Store& store, Steps& steps) : store_(store), steps_(steps) {}
  Result<void> write(const std::function<Result<void>(server::WriteTransaction&)>& body) override {
    return steps_.take([&] { return store_.write(body); });
  }
  Result<void> read(const std::function<Result<void>(server::ReadTransaction&)>& body) override {
    return steps_.take([&] { return store_.read(body); });
  }

 private:
  server::Store& store_;
  Steps& steps_;
};

class SteppedFiles final : public server::AttachmentFiles {
 public:
  SteppedFiles(MemoryAttachmentFiles& files, Steps& steps) : files_(files), steps_(steps) {}

  // What was not synced has its length, and not its bytes.
  void lose_power() {
    for (auto& [name, content] : files_.uploads) {
      const std::string& kept = synced_[name];
      const std::size_t size = std::max(content.size(), kept.size());
      content = kept + std::string(size - kept.size(), '\0');
    }
  }

  Result<std::optional<std::uint64_t>> upload_size(const server::UploadName& upload) override {
    return steps_.take([&] { return files_.upload_size(upload); });
  }
  Result<void> write_upload(const server::UploadName& upload, std::uint64_t offset, std::string_view bytes) override {
    return steps_.take([&] { return files_.write_upload(upload, offset, bytes); });
  }
  Result<void> sync_upload(const server::UploadName& upload) override {
    return steps_.take([&] {
      synced_[upload] = files_.uploads[upload];
      return files_.sync_upload(upload);
    });
  }
  Result<std::string> read_upload(const server::UploadName& upload, std::uint64_t offset, std::size_t bytes) override {
    return steps_.take([&] { return files_.read_upload(upload, offset, bytes); });
  }
  Result<void> publish(const server::UploadName& upload) override {
    return steps_.take([&] { return files_.publish(upload); });
  }
  Result<void> remove_upload(const server::UploadName& upload) override {
    return steps_.take([&] { return files_.remove_upload(upload); });
  }
  Result<std::optional<std::uint64_t>> published_size(const core::AttachmentId& id) override {
    return steps_.take([&] { return files_.published_size(id); });
  }
  Result<std::string> read_published(const core::AttachmentId& id, std::uint64_t offset, std::size_t bytes) override {
    return steps_.take([&] { return files_.read_published(id, offset, bytes); });
  }

 private:
  MemoryAttachmentFiles& files_;
  Steps& steps_;
  std::map<server::UploadName, std::string> synced_;
};

const std::string photo = some_bytes(20);

// Sends `bytes` under the photo's name in pieces, a second apart. False where the step was not reached.
bool interrupt(AttachmentOffice& office, const std::string& bytes, int fatal, Ending ending) {
  Steps steps(fatal, ending);
  SteppedStore store(*office.store, steps);
  SteppedFiles files(office.files, steps);
  server::AttachmentService service(store, files, [&] { return office.now; });
  try {
    auto upload = service.begin_upload(office.phone.id, file_of(photo).id, 0);
    if (!upload) return steps.reached();
    for (std::size_t taken = 0; taken < bytes.size(); taken += 5) {
      office.now.ms += 1000;
      (*upload)->take(bytes.substr(taken, 5));
    }
    static_cast<void>((*upload)->finish());
  } catch (const Crash&) {
    files.lose_power();
  }
  office.restart_services();
  return steps.reached();
}

// Goes on where it stopped: nothing that the office has said to be durable is taken again.
void check_goes_on(AttachmentOffice& office) {
  const auto before = office.get(office.phone, file_of(photo).id);
  CHECK((before ? *before == photo : outcome_of(before) == "not_found"));
  const std::uint64_t taken = office.bytes_taken_today(office.phone);
  const Told left = told(*office.offer(office.phone, file_of(photo)));
  CHECK(left.durable == taken);
  if (!left.complete) {
    const auto sent = office.put(office.phone, file_of(photo).id, left.durable, photo.substr(left.durable));
    REQUIRE(sent);
    CHECK(told(*sent) == Told{20, true});
  }
  CHECK(office.bytes_taken_today(office.phone) == 20);
  CHECK(*office.get(office.phone, file_of(photo).id) == photo);
  CHECK(office.files.uploads.empty());
}

constexpr Ending endings[] = {Ending::crash_before, Ending::crash_after, Ending::disk_full, Ending::disk_failed};

}  // namespace

TEST_CASE("An upload that is interrupted at any step goes on where it stopped, and is whole") {
  for (const Ending ending : endings) {
    int steps = 0;
    for (bool reached = true; reached; ++steps) {
      INFO("ending " << static_cast<int>(ending) << " at step " << steps + 1);
      AttachmentOffice office;
      office.name(photo);
      reached = interrupt(office, photo, steps + 1, ending);
      check_goes_on(office);
    }
    CHECK(steps > 15);
  }
}

TEST_CASE("Wrong bytes are never shown, at whatever step the upload is interrupted") {
  for (const Ending ending : endings) {
    int steps = 0;
    for (bool reached = true; reached; ++steps) {
      INFO("ending " << static_cast<int>(ending) << " at step " << steps + 1);
      AttachmentOffice office;
      office.name(photo);
      reached = interrupt(office, some_bytes(20, 2), steps + 1, ending);
      CHECK(outcome_of(office.get(office.phone, file_of(photo).id)) == "not_found");
      // A device whose bytes are thrown away begins anew; one that goes on finds out at the end.
      Told left = told(*office.offer(office.phone, file_of(photo)));
      if (left.durable > 0) {
        const auto sent = office.put(office.phone, file_of(photo).id, left.durable, photo.substr(left.durable));
        CHECK(outcome_of(sent) == "attachment_damaged");
      }
      office.send(office.phone, photo);
      CHECK(*office.get(office.phone, file_of(photo).id) == photo);
    }
    CHECK(steps > 15);
  }
}

TEST_CASE("A crash while wrong bytes are thrown away shows nobody what another scope has under their name") {
  for (const Ending ending : endings) {
    for (int step = 1;; ++step) {
      INFO("ending " << static_cast<int>(ending) << " at step " << step);
      AttachmentOffice office;
      TestDevice other = office.add_device(office.add_person(server::Role::monitor, office.other_scope));
      office.name(other, office.other_scope, photo_of(photo));
      office.send(other, photo);
      office.name(photo);
      const bool reached = interrupt(office, some_bytes(20, 2), step, ending);
      static_cast<void>(office.offer(office.phone, file_of(photo)));
      CHECK(outcome_of(office.get(office.phone, file_of(photo).id)) == "not_found");
      CHECK(*office.get(other, file_of(photo).id) == photo);
      if (!reached) break;
    }
  }
}

TEST_CASE("A full disk and a broken one are told to the device, and text goes on") {
  for (const auto& [ending, name] :
       {std::pair(Ending::disk_full, "storage_full"), std::pair(Ending::disk_failed, "storage_failed")}) {
    AttachmentOffice office;
    office.name(photo);
    Steps never(0, ending);
    Steps first(1, ending);
    SteppedStore store(*office.store, never);
    SteppedFiles files(office.files, first);
    server::AttachmentService service(store, files, [&] { return office.now; });
    auto upload = service.begin_upload(office.phone.id, file_of(photo).id, 0);
    REQUIRE(upload);
    (*upload)->take(photo);
    CHECK(outcome_of((*upload)->finish()) == name);
    CHECK(office.bytes_taken_today(office.phone) == 0);
    // The sync leaves out what it cannot tell.
    REQUIRE(office.put(office.phone, file_of(photo).id, 0, photo.substr(0, 10)));
    Steps again(1, ending);
    SteppedFiles broken(office.files, again);
    server::AttachmentService failing(store, broken, [&] { return office.now; });
    const std::vector offered{file_of(photo)};
    const auto statuses = failing.statuses(office.phone.id, offered);
    REQUIRE(statuses);
    CHECK(statuses->empty());
  }
}
