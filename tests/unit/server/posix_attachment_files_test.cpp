// Attachments as files: their names, their rights, and a disk that takes no more.
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "attachment_office.h"
#include "store/files/posix_attachment_files.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

namespace fs = std::filesystem;

class PosixFolder {
 public:
  PosixFolder() {
    auto opened = server::PosixAttachmentFiles::open(path());
    REQUIRE(opened);
    files = std::move(*opened);
  }
  [[nodiscard]] fs::path path() const { return folder_.path() / "attachments"; }

  std::unique_ptr<server::PosixAttachmentFiles> files;

 private:
  TemporaryFolder folder_;
};

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

mode_t mode_of(const fs::path& path) {
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777;
}

server::UploadName upload_of(const std::string& bytes) {
  server::UploadName upload;
  upload.device.bytes.fill(0xab);
  upload.attachment = file_of(bytes).id;
  return upload;
}

}  // namespace

TEST_CASE("An upload is a file of its device, and published one of its hash alone, for the server only") {
  const PosixFolder folder;
  auto& files = *folder.files;
  const server::UploadName upload = upload_of("photo");
  const std::string hash = upload.attachment.hex();
  CHECK_FALSE(files.upload_size(upload)->has_value());
  CHECK_FALSE(files.published_size(upload.attachment)->has_value());
  REQUIRE(files.write_upload(upload, 0, "photo"));
  REQUIRE(files.sync_upload(upload));
  CHECK((names_in(folder.path()) == std::vector<std::string>{"uploads"}));
  CHECK((names_in(folder.path() / "uploads") == std::vector{upload.device.hex() + "-" + hash}));
  CHECK(mode_of(folder.path()) == 0700);
  CHECK(mode_of(folder.path() / "uploads") == 0700);
  CHECK(mode_of(folder.path() / "uploads" / upload.text()) == 0600);
  CHECK(**files.upload_size(upload) == 5);
  REQUIRE(files.publish(upload));
  CHECK((names_in(folder.path()) == std::vector<std::string>{hash, "uploads"} ||
         names_in(folder.path()) == std::vector<std::string>{"uploads", hash}));
  CHECK(names_in(folder.path() / "uploads").empty());
  CHECK(mode_of(folder.path() / hash) == 0600);
  CHECK(**files.published_size(upload.attachment) == 5);
  CHECK(*files.read_published(upload.attachment, 0, 100) == "photo");
  CHECK(*files.read_published(upload.attachment, 2, 2) == "ot");
  CHECK(files.read_published(upload.attachment, 5, 1)->empty());
}

TEST_CASE("Writing cuts the upload there, and never leaves a hole") {
  const PosixFolder folder;
  auto& files = *folder.files;
  const server::UploadName upload = upload_of("photo");
  REQUIRE(files.write_upload(upload, 0, "0123456789"));
  REQUIRE(files.write_upload(upload, 4, "ab"));
  CHECK(*files.read_upload(upload, 0, 100) == "0123ab");
  CHECK_FALSE(files.write_upload(upload, 7, "c"));
  CHECK(*files.read_upload(upload, 0, 100) == "0123ab");
  REQUIRE(files.write_upload(upload, 2, {}));
  CHECK(*files.read_upload(upload, 0, 100) == "01");
}

TEST_CASE("Publishing may be repeated, and takes the place of what is there") {
  const PosixFolder folder;
  auto& files = *folder.files;
  const server::UploadName upload = upload_of("photo");
  CHECK_FALSE(files.publish(upload));
  REQUIRE(files.write_upload(upload, 0, "phot"));
  REQUIRE(files.publish(upload));
  REQUIRE(files.publish(upload));
  REQUIRE(files.write_upload(upload, 0, "photo"));
  REQUIRE(files.publish(upload));
  CHECK(*files.read_published(upload.attachment, 0, 100) == "photo");
  REQUIRE(files.remove_upload(upload));
}

TEST_CASE("A folder that is there is used as it is") {
  const PosixFolder folder;
  const server::UploadName upload = upload_of("photo");
  REQUIRE(folder.files->write_upload(upload, 0, "photo"));
  const auto again = server::PosixAttachmentFiles::open(folder.path());
  REQUIRE(again);
  CHECK(*(*again)->read_upload(upload, 0, 100) == "photo");
}

TEST_CASE("A disk that takes no more is full, and one that cannot be written is broken") {
  const PosixFolder folder;
  const server::UploadName upload = upload_of("photo");
  {
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const rlimit limit{3, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
    const auto refused = folder.files->write_upload(upload, 0, "photo");
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    CHECK(outcome_of(refused) == "storage_full");
  }
  fs::remove_all(folder.path());
  CHECK(outcome_of(folder.files->write_upload(upload, 0, "photo")) == "storage_failed");
  std::ofstream(folder.path()) << "not a folder";
  CHECK(outcome_of(server::PosixAttachmentFiles::open(folder.path())) == "storage_failed");
}
