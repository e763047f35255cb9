#include "api/enrolment.h"

#include "api/sync_steps.h"
#include "engine/enrolment_text.h"
#include "fieldsync/v1/enrol.pb.h"

namespace fieldsync::api {
namespace {

constexpr std::int64_t connect_timeout_ms = 10'000;

// The key to enrol with. A forked store takes a new one, and keeps it before it asks:
// where the answer is lost, the server answers the same key once more.
tls::KeyPair key_to_enrol(LocalStore& store, bool anew) {
  if (!anew) return {store.identity.private_key_pem(), store.identity.certificate_pem()};
  tls::KeyPair key{store.identity.next_private_key_pem(), store.identity.next_certificate_pem()};
  if (!key.private_key_pem.empty()) return key;
  key = store.environment.make_key();
  sqlite::Transaction transaction(*store.connection);
  store.identity.set_next_key(key.private_key_pem, key.certificate_pem);
  transaction.commit();
  return key;
}

Result<v1::EnrolReply> ask(engine::Transport& transport, const std::string& code, const std::string& device_name) {
  v1::EnrolRequest request;
  request.set_protocol_version(1);
  request.set_code(code);
  request.set_device_name(device_name);
  transport.start("/v1/enrol", request.SerializeAsString());
  auto answered = transport.wait();
  if (!answered) return answered.error();
  if (answered->status != 200) return error_of(*answered);
  v1::EnrolReply reply;
  const bool readable = reply.ParseFromString(answered->body);
  if (!readable || !core::PersonId::from_bytes(reply.person().id())) return Error{Errc::incompatible_server, {}};
  return reply;
}

void forget_next_key(LocalStore& store) {
  sqlite::Transaction transaction(*store.connection);
  store.identity.set_next_key({}, {});
  transaction.commit();
}

struct Asked {
  bool anew = false;  // by a forked store
  tls::KeyPair key;
  Result<v1::EnrolReply> reply;
};

Asked ask_with_its_key(LocalStore& store, const engine::EnrolmentText& enrolment, const std::string& device_name) {
  bool anew = false;
  tls::KeyPair key;
  std::unique_ptr<engine::Transport> transport;
  {
    const std::lock_guard lock(store.mutex);
    anew = store.identity.forked_from() != 0;
    key = key_to_enrol(store, anew);
    transport = store.environment.connect(
        {enrolment.address, enrolment.pins, key.private_key_pem, key.certificate_pem, connect_timeout_ms});
  }
  return {anew, key, ask(*transport, enrolment.code, device_name)};
}

// The answer to an earlier attempt was lost, and what it gave the next key is of no use
// to this store: it became another person's, or was revoked since.
bool next_key_is_spent(const Asked& asked) {
  if (!asked.anew || asked.reply) return false;
  const Errc code = asked.reply.error().code;
  return code == Errc::device_already_enrolled || code == Errc::device_revoked;
}

// What waits is the person's own: it may not become another's.
Error for_another_person(LocalStore& store, const v1::EnrolReply& reply) {
  forget_next_key(store);
  return {Errc::not_permitted, "The code is for " + reply.person().name() + ", and what is saved here is by " +
                                   store.identity.person_name() + ". Ask for a code for " + store.identity.person_name() + "."};
}

// In whatever way the transaction of begin_anew() ends.
class DeviceReadAgain {
 public:
  explicit DeviceReadAgain(storage::Identity& identity) : identity_(identity) {}
  ~DeviceReadAgain() { identity_.read_device_again(); }
  DeviceReadAgain(const DeviceReadAgain&) = delete;
  DeviceReadAgain& operator=(const DeviceReadAgain&) = delete;

 private:
  storage::Identity& identity_;
};

Result<void> begin_anew(LocalStore& store, const tls::KeyPair& key) {
  auto device = device_of(key.certificate_pem);
  if (!device) return device.error();
  if (auto begun = store.fork.begin_anew({*device, key.private_key_pem, key.certificate_pem}); !begun) return begun;
  store.identity.set_next_key({}, {});
  return {};
}

}  // namespace

Result<void> enrol(LocalStore& store, const std::string& text, const std::string& device_name) {
  auto enrolment = engine::parse_enrolment(text);
  if (!enrolment) return enrolment.error();
  Asked asked = ask_with_its_key(store, *enrolment, device_name);
  if (next_key_is_spent(asked)) {
    {
      const std::lock_guard lock(store.mutex);
      forget_next_key(store);
    }
    asked = ask_with_its_key(store, *enrolment, device_name);
  }
  const auto& [anew, key, reply] = asked;
  if (!reply) return reply.error();
  const std::lock_guard lock(store.mutex);
  const core::PersonId person = *core::PersonId::from_bytes(reply->person().id());
  if (anew && person != store.identity.person()) return for_another_person(store, *reply);
  const DeviceReadAgain read_again(store.identity);
  sqlite::Transaction transaction(*store.connection);
  if (anew) {
    if (auto begun = begin_anew(store, key); !begun) return begun;
  }
  store.identity.set_person(person, reply->person().name());
  store.identity.set_server(enrolment->address);
  store.identity.set_server_pins(enrolment->pins);
  transaction.commit();
  return {};
}

}  // namespace fieldsync::api
