#include "sim/team/phone.h"

#include <new>

#include "api/local_database.h"
#include "core/check.h"
#include "sqlite/connection.h"

namespace fieldsync::team {
namespace {

const std::string device_name = "A phone";

// Hands each request to the office at once.
class DirectTransport final : public engine::Transport {
 public:
  DirectTransport(const Surroundings& surroundings, std::string peer_key)
      : surroundings_(surroundings), peer_key_(std::move(peer_key)) {}

  void start(std::string path, std::string body) override {
    surroundings_.about_to_send();
    request_ = {
        "POST", std::move(path), "application/x-protobuf", {}, "application/x-protobuf", std::move(body), peer_key_,
        "1"};
  }

  Result<engine::HttpReply> wait() override {
    Office* office = surroundings_.office();
    if (office == nullptr) return Error{Errc::offline, {}};
    try {
      server::Response response = office->handle(request_);
      surroundings_.office_answered();
      return engine::HttpReply{response.status, std::move(response.content_type), std::move(response.body)};
    } catch (const std::bad_alloc&) {
      // As the server's pool of threads does it.
      return engine::HttpReply{500, {}, {}};
    }
  }

  void cancel() override {}
  [[nodiscard]] engine::WireBytes wire_bytes() const override { return {}; }

 private:
  const Surroundings& surroundings_;
  std::string peer_key_;
  server::Request request_;
};

}  // namespace

Phone::Phone(sim::Machine& machine, Person person, Surroundings surroundings)
    : machine_(machine),
      file_(machine.folder() + "/fieldsync.db"),
      enrolment_text_(enrolment_text(person)),
      surroundings_(std::move(surroundings)),
      key_(tls::make_device_key()) {
  auto raw = tls::device_public_key(key_.certificate_pem);
  FIELDSYNC_CHECK(raw, "a device's key can be read");
  public_key_ = *raw;
}

Result<void> Phone::open() {
  return sqlite::guard([&]() -> Result<void> {
    auto store = api::open_local_store(file_, true, environment());
    if (!store) return store.error();
    database_ = api::make_database(std::move(*store));
    return {};
  });
}

api::Environment Phone::environment() {
  api::Environment environment;
  environment.wall_clock = [] { return core::Instant{november_2026_ms}; };
  environment.steady_clock = [] { return core::Milliseconds{0}; };
  environment.jitter = [] { return 0.0; };
  environment.make_key = [this] { return key_; };
  environment.connect = [this](const transport::HttpsSettings&) -> std::unique_ptr<engine::Transport> {
    return std::make_unique<DirectTransport>(surroundings_, public_key_);
  };
  return environment;
}

Result<void> Phone::enrol() {
  auto identity = database_->enrol(enrolment_text_, device_name);
  return identity ? Result<void>() : Result<void>(identity.error());
}

Result<void> Phone::sync() {
  auto report = database_->sync({.retries = 0});
  return report ? Result<void>() : Result<void>(report.error());
}

Result<std::uint64_t> Phone::saved() {
  auto status = database_->status();
  if (!status) return status.error();
  return status->saved_here + status->sent + status->durable + status->refused;
}

Result<core::RecordId> Phone::find(const std::string& title) {
  auto found = database_->query({.form = "visit", .text = title, .include_deleted = true});
  if (!found) return found.error();
  return found->empty() ? core::RecordId{} : found->front().id;
}

}  // namespace fieldsync::team
