// push_fuzz.cpp: what devices send, to the real service on a store in memory. The
// batches are signed: a device is known, and may be anybody's.
#include <sodium.h>

#include <array>
#include <memory>
#include <tuple>
#include <vector>

#include "codec/digest.h"
#include "codec/frame.h"
#include "codec/operation_codec.h"
#include "codec/record_codec.h"
#include "engine/enrolment_text.h"
#include "fuzz/input.h"
#include "fuzz/made_operations.h"
#include "fuzz/must_hold.h"
#include "fuzz/target.h"
#include "service/enrolment.h"
#include "sim/chance.h"
#include "sim/disk/simulated_vfs.h"
#include "sim/team/office.h"
#include "support/test_device.h"

namespace {

using namespace fieldsync;
using fuzz::must_hold;
using testing::TestDevice;

constexpr std::size_t steps_max = 6;
constexpr std::size_t record_bytes_max = 64 * 1024 * 1024;

core::Instant now() { return {team::november_2026_ms}; }

// Everything that a push may change.
struct OfficeState {
  std::vector<std::tuple<core::ScopeId, std::uint64_t, std::uint64_t>> scopes;  // head, digest
  std::vector<std::tuple<core::DeviceId, std::uint64_t, server::Sha256>> devices;
  std::uint64_t records = 0, operations = 0, conflicts = 0, quarantined = 0;

  bool operator==(const OfficeState&) const = default;
  [[nodiscard]] std::uint64_t taken() const { return operations + quarantined; }
};

class Desk {
 public:
  Desk() : vfs_(random(), [] { return team::november_2026_ms; }), machine_(vfs_.add_machine("/sim/office")) {
    open();
    must_hold(static_cast<bool>(office_->prepare([] {})), "an office can be prepared");
    enrol(devices_[0], team::Person::aigul, 1);
    enrol(devices_[1], team::Person::bakyt, 2);
    office_.reset();
    files_ = machine_.files();
    new_devices_ = devices_;
  }

  void put_back() {
    office_.reset();
    machine_.restore(files_);
    devices_ = new_devices_;
    open();
  }

  void step(fuzz::Input& input) {
    const std::uint32_t choice = input.below(8);
    TestDevice& device = devices_[input.below(2)];
    if (choice < 4) return push(device, made_batch(device, input), input);
    if (choice == 4) return push(device, raw_batch(device, input), input);
    if (choice == 5) return push(device, spoiled_batch(device, input), input);
    if (choice == 6) return ask_router(device, input);
    const auto reply = office_->service().sync(device.id, device.request(), server::BodyStyle::plain);
    if (reply) device.take(*reply);
  }

  void check_records() {
    must_hold(static_cast<bool>(office_->store().read([&](server::ReadTransaction& transaction) -> Result<void> {
                for (const server::ScopeRow& scope : transaction.scopes()) check_scope(transaction, scope);
                return {};
              })),
              "the store can be read");
  }

 private:
  static sim::Random random() {
    return [chance = std::make_shared<sim::Chance>(1)] { return chance->next(); };
  }

  void open() {
    auto opened = team::Office::open(machine_);
    must_hold(static_cast<bool>(opened), "a sound office opens");
    office_ = std::move(*opened);
  }

  void enrol(TestDevice& device, team::Person person, std::uint8_t seed) {
    const std::array<unsigned char, crypto_sign_SEEDBYTES> bytes{seed};
    crypto_sign_seed_keypair(reinterpret_cast<unsigned char*>(device.public_key.data()), device.key.data(),
                             bytes.data());
    device.id = server::device_id_of(device.public_key);
    v1::EnrolRequest request;
    request.set_protocol_version(1);
    request.set_device_name("A device");
    request.set_code(engine::parse_enrolment(team::enrolment_text(person))->code);
    must_hold(static_cast<bool>(
                  server::Enrolment(office_->store(), office_->audit_log(), now).enrol(request, device.public_key, {})),
              "a device is enrolled");
  }

  static v1::Batch made_batch(const TestDevice& device, fuzz::Input& input) {
    std::vector<core::Operation> operations;
    for (std::uint32_t left = 1 + input.below(4); left > 0; --left) {
      const core::OperationId id{device.id, device.last_counter + 1 + operations.size()};
      core::Operation operation = fuzz::make_operation(input, id, fuzz::made_record(input.below(3)));
      operation.scope = id_of(input.below(8) == 0 ? team::Place::district : team::Place::region);
      operation.form = input.below(16) == 0 ? "complaint" : "visit";
      operations.push_back(std::move(operation));
    }
    return device.batch(operations);
  }

  static v1::Batch raw_batch(const TestDevice& device, fuzz::Input& input) {
    const auto encoding = static_cast<v1::Encoding>(input.below(3));
    const std::string content(input.chunk());
    if (encoding != v1::ENCODING_ZSTD || input.below(2) == 0) return device.batch_of(content, encoding);
    return device.batch_of(codec::FrameWriter().compress(content), encoding);
  }

  static v1::Batch spoiled_batch(const TestDevice& device, fuzz::Input& input) {
    v1::Batch batch = made_batch(device, input);
    const std::uint32_t where = input.below(5);
    if (where == 0) batch.set_first_counter(input.wide_number());
    if (where == 1) batch.set_previous_hash_prefix(std::string(input.bytes(input.below(12))));
    if (where == 2) batch.set_signature(std::string(input.bytes(64)));
    if (where == 3) batch.set_content(std::string(input.chunk()));
    if (where != 4) return batch;
    batch.set_content(batch.content().substr(0, input.below(255)));
    device.sign(batch);
    return batch;
  }

  void push(TestDevice& device, const v1::Batch& batch, fuzz::Input& input) {
    const auto style = static_cast<server::BodyStyle>(input.below(3));
    v1::SyncRequest request = device.request(batch);
    if (input.below(4) == 0) request.set_device_time_ms(static_cast<std::int64_t>(input.wide_number()));
    const OfficeState before = state();
    const auto reply = office_->service().sync(device.id, request, style);
    const OfficeState after = state();
    if (!reply || reply->expected_counter() != 0) {
      must_hold(after == before, "a refused push changes nothing");
      return;
    }
    v1::SyncReply read;
    must_hold(read.ParseFromString(reply->SerializeAsString()), "a device can read the answer");
    must_hold(after.taken() - before.taken() == reply->acknowledged_counter() - device.last_counter,
              "each operation is applied or in quarantine");
    must_hold(reply->acknowledged_counter() > device.last_counter, "a batch that was taken is acknowledged");
    const auto again = office_->service().sync(device.id, request, style);
    must_hold(again && again->acknowledged_counter() == reply->acknowledged_counter() && state() == after,
              "a push that comes again changes nothing");
    device.acknowledged(batch, reply->acknowledged_counter());
  }

  void ask_router(const TestDevice& device, fuzz::Input& input) {
    server::Request request;
    request.method = "POST";
    request.target = input.below(4) == 0 ? "/v1/enrol" : "/v1/sync";
    request.content_type = input.below(2) == 0 ? "application/json" : "application/x-protobuf";
    request.accept = input.below(2) == 0 ? "application/json" : "application/x-protobuf";
    request.peer_key = device.public_key;
    request.body = input.chunk();
    const server::Response response = office_->handle(request);
    must_hold(response.status == 200 || (response.status >= 400 && response.status < 500),
              "bad input is the caller's fault");
    must_hold(!response.body.empty() || response.status == 200, "a refusal says why");
  }

  OfficeState state() {
    OfficeState state;
    must_hold(static_cast<bool>(office_->store().read([&](server::ReadTransaction& transaction) -> Result<void> {
                for (const server::ScopeRow& scope : transaction.scopes())
                  state.scopes.emplace_back(scope.id, scope.head, scope.digest);
                for (const server::DeviceRow& device : transaction.devices()) {
                  state.devices.emplace_back(device.id, device.last_counter, device.last_batch_hash);
                }
                const server::Counts counts = transaction.counts();
                state.records = counts.records;
                state.operations = counts.operations;
                state.conflicts = counts.open_conflicts;
                state.quarantined = counts.quarantined;
                return {};
              })),
              "the store can be read");
    return state;
  }

  static void check_scope(server::ReadTransaction& transaction, const server::ScopeRow& scope) {
    codec::FrameReader reader;
    std::uint64_t digest = 0;
    transaction.changes_after({scope.key, std::nullopt}, 0, [&](const server::VisibleRecord& visible) {
      const server::RecordRow& row = visible.row;
      const auto body = reader.decompress(row.body_frame, record_bytes_max);
      must_hold(static_cast<bool>(body), "a stored body can be opened");
      const auto record = codec::decode_record(row.head, *body);
      must_hold(static_cast<bool>(record), "a stored record can be read");
      must_hold(codec::encode_head(*record) == row.head && codec::encode_body(*record) == *body,
                "a stored record is canonical");
      digest += codec::hash_record(row.head, codec::hash_bytes(*body));
      return true;
    });
    must_hold(digest == scope.digest, "the digest is the sum of the records");
  }

  sim::SimulatedVfs vfs_;
  sim::Machine& machine_;
  sim::FileTree files_;
  std::array<TestDevice, 2> devices_;
  std::array<TestDevice, 2> new_devices_;
  std::unique_ptr<team::Office> office_;
};

Desk& desk() {
  static Desk desk;
  return desk;
}

}  // namespace

int LLVMFuzzerInitialize(int*, char***) {
  static_cast<void>(desk());
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  desk().put_back();
  fuzz::Input input(data, size);
  for (std::size_t step = 0; step < steps_max && !input.is_empty(); ++step) desk().step(input);
  desk().check_records();
  return 0;
}
