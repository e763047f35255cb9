#include "sim/team/phone.h"

#include <new>
#include <sstream>

#include "api/local_database.h"
#include "core/check.h"
#include "handlers/problem.h"
#include "sqlite/connection.h"
#include "support/allocation_pause.h"
#include "support/routed_request.h"
#include "support/unlocked_store.h"

namespace fieldsync::team {
namespace {

const std::string device_name = "A phone";

// Hands each request to the office at once.
class DirectTransport final : public engine::WholeExchange {
 public:
  DirectTransport(const Surroundings& surroundings, std::string peer_key)
      : surroundings_(surroundings), peer_key_(std::move(peer_key)) {}

  void start(engine::HttpRequest request) override {
    surroundings_.about_to_send();
    request_ = testing::as_request(std::move(request), peer_key_, "1");
  }

  Result<engine::HttpReply> wait() override {
    Office* office = surroundings_.office();
    if (office == nullptr) return Error{Errc::offline, {}};
    try {
      server::Response response = office->handle(request_);
      if (response.status == 206 && response.body.size() != bytes_asked_for()) {
        surroundings_.office_threw();
        return Error{Errc::connection_lost, {}};
      }
      surroundings_.office_answered();
      return engine::HttpReply{response.status, std::move(response.content_type), std::move(response.body)};
    } catch (const std::bad_alloc&) {
      surroundings_.office_threw();
      return last_words();
    }
  }

  void cancel() override {}
  [[nodiscard]] engine::WireBytes wire_bytes() const override { return {}; }

 private:
  // A range is asked for as "bytes=FIRST-LAST", and never more than there is.
  [[nodiscard]] std::size_t bytes_asked_for() const {
    std::istringstream range(request_.range.substr(request_.range.find('=') + 1));
    std::size_t first = 0;
    std::size_t last = 0;
    char dash = 0;
    range >> first >> dash >> last;
    return last - first + 1;
  }

  // What the server's main answers to an exception. Where there is no memory for that
  // either, the connection ends.
  [[nodiscard]] Result<engine::HttpReply> last_words() {
    try {
      server::Response response = server::problem_response({Errc::internal_error, {}}, request_);
      return engine::HttpReply{response.status, std::move(response.content_type), std::move(response.body)};
    } catch (const std::bad_alloc&) {
      return Error{Errc::connection_lost, {}};
    }
  }

  const Surroundings& surroundings_;
  std::string peer_key_;
  server::Request request_;
};

// The copy is the harness's own.
template <typename T>
Result<void> without_value(const Result<T>& result) {
  const testing::AllocationPause pause;
  return result ? Result<void>() : Result<void>(result.error());
}

}  // namespace

Phone::Phone(sim::Machine& machine, Person person, Surroundings surroundings)
    : machine_(machine),
      file_(machine.folder() + "/fieldsync.db"),
      enrolment_text_(enrolment_text(person)),
      surroundings_(std::move(surroundings)),
      second_enrolment_text_(second_enrolment_text()),
      first_(make_key()),
      second_(make_key()) {}

Phone::Key Phone::make_key() {
  Key key;
  auto raw = tls::device_public_key(key.pair.certificate_pem);
  auto device = api::device_of(key.pair.certificate_pem);
  FIELDSYNC_CHECK(raw && device, "a device's key can be read");
  key.raw = *raw;
  key.device = *device;
  return key;
}

Result<void> Phone::open() {
  return sqlite::guard([&]() -> Result<void> {
    auto store = testing::open_unlocked(file_, environment());
    if (!store) return store.error();
    store_ = store->get();
    database_ = api::make_database(std::move(*store));
    return {};
  });
}

bool Phone::is_empty() const {
  const testing::AllocationPause pause;
  return machine_.files().names().empty();
}

Result<void> Phone::wipe() {
  close();
  return api::wipe(file_);
}

api::Environment Phone::environment() {
  api::Environment environment;
  environment.wall_clock = [] { return core::Instant{november_2026_ms}; };
  environment.steady_clock = [] { return core::Milliseconds{0}; };
  environment.jitter = [] { return 0.0; };
  environment.make_key = [this] { return (becomes_second_ ? second_ : first_).pair; };
  environment.connect = [this](const transport::HttpsSettings& settings) -> std::unique_ptr<engine::Transport> {
    const bool second = settings.certificate_pem == second_.pair.certificate_pem;
    return std::make_unique<DirectTransport>(surroundings_, (second ? second_ : first_).raw);
  };
  return environment;
}

Result<void> Phone::enrol() { return without_value(database_->enrol(enrolment_text_, device_name)); }

Result<void> Phone::enrol_anew() {
  becomes_second_ = true;
  auto done = without_value(database_->enrol(second_enrolment_text_, device_name));
  becomes_second_ = false;
  return done;
}

bool Phone::is_anew() const { return database_->identity().device == second_.device; }

Result<void> Phone::sync() { return without_value(database_->sync({.retries = 0})); }

Result<std::uint64_t> Phone::saved() {
  return api::in_unlocked_store(*store_, [&]() -> Result<std::uint64_t> { return store_->identity.last_counter(); });
}

Result<core::RecordId> Phone::find(const std::string& title) {
  auto found = database_->query({.form = "visit", .text = title, .include_deleted = true});
  if (!found) return found.error();
  return found->empty() ? core::RecordId{} : found->front().id;
}

}  // namespace fieldsync::team
