#include "api/enrolment.h"

#include <algorithm>

#include "api/problem.h"
#include "engine/enrolment_text.h"
#include "fieldsync/v1/enrol.pb.h"

namespace fieldsync::api {
namespace {

constexpr std::int64_t connect_timeout_ms = 10'000;

// What is saved here goes to the office where its person is enrolled, which is known
// by its keys: its address may change, and one of two keys.
Result<void> check_office(LocalStore& store, const engine::EnrolmentText& enrolment) {
  if (store.identity.person().is_none()) return {};
  const auto named = [&](const std::string& pin) {
    return std::count(enrolment.pins.begin(), enrolment.pins.end(), pin) > 0;
  };
  const std::vector<std::string> pins = store.identity.server_pins();
  if (std::any_of(pins.begin(), pins.end(), named)) return {};
  return Error{Errc::not_permitted, "This store is enrolled for " + store.identity.person_name() + " at " +
                                        store.identity.server() +
                                        ", and the text is of another office. Enrol there with a store of its own."};
}

// The key to enrol with. A forked store takes a new one, and keeps it before it asks:
// where the answer is lost, the server answers the same key once more.
tls::KeyPair key_to_enrol(LocalStore& store, bool anew) {
  if (!anew) return {store.identity.private_key_pem(), store.identity.certificate_pem()};
  tls::KeyPair key{store.identity.next_private_key_pem(), store.identity.next_certificate_pem()};
  if (!key.private_key_pem.empty()) return key;
  key = store.environment.make_key();
  storage::Transaction transaction(store.vault);
  store.identity.set_next_key(key.private_key_pem, key.certificate_pem);
  transaction.commit();
  return key;
}

Result<v1::EnrolReply> ask(engine::Transport& transport, const std::string& code, const std::string& device_name) {
  v1::EnrolRequest request;
  request.set_protocol_version(1);
  request.set_code(code);
  request.set_device_name(device_name);
  transport.start({"/v1/enrol", request.SerializeAsString()});
  auto answered = transport.wait();
  if (!answered) return answered.error();
  if (answered->status != 200) return error_of(*answered);
  v1::EnrolReply reply;
  const bool readable = reply.ParseFromString(answered->body);
  // Without a key of its history nothing that the office acknowledges could be proven.
  const bool is_whole = readable && core::PersonId::from_bytes(reply.person().id()) && audit::read_key(reply.log_key());
  if (!is_whole) return Error{Errc::incompatible_server, {}};
  return reply;
}

void forget_next_key(LocalStore& store) {
  storage::Transaction transaction(store.vault);
  store.identity.set_next_key({}, {});
  transaction.commit();
}

// For as long as the exchange lasts.
class Cancellable {
 public:
  Cancellable(const CanCancel& can_cancel, engine::Transport& transport) : can_cancel_(can_cancel) {
    can_cancel_([&transport] { transport.cancel(); });
  }
  ~Cancellable() { can_cancel_({}); }
  Cancellable(const Cancellable&) = delete;
  Cancellable& operator=(const Cancellable&) = delete;

 private:
  const CanCancel& can_cancel_;
};

struct Asked {
  bool anew = false;  // by a forked store
  tls::KeyPair key;
  Result<v1::EnrolReply> reply;
};

Result<Asked> ask_with_its_key(LocalStore& store, const engine::EnrolmentText& enrolment,
                               const std::string& device_name, const CanCancel& can_cancel) {
  bool anew = false;
  tls::KeyPair key;
  std::unique_ptr<engine::Transport> transport;
  {
    const std::lock_guard lock(store.mutex);
    if (auto checked = check_office(store, enrolment); !checked) return checked.error();
    anew = store.identity.forked_from() != 0;
    key = key_to_enrol(store, anew);
    transport = store.environment.connect(
        {enrolment.address, enrolment.pins, key.private_key_pem, key.certificate_pem, connect_timeout_ms});
  }
  const Cancellable cancellable(can_cancel, *transport);
  return Asked{anew, key, ask(*transport, enrolment.code, device_name)};
}

// The answer to an earlier attempt was lost, and what it gave the next key is of no use
// to this store: it became another person's, or was revoked since.
bool next_key_is_spent(const Asked& asked) {
  if (!asked.anew || asked.reply) return false;
  const Errc code = asked.reply.error().code;
  return code == Errc::device_already_enrolled || code == Errc::device_revoked;
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

// Whoever enrols again takes the key that the office has now: what was signed by the former is kept as evidence.
void take_log_key(LocalStore& store, const v1::EnrolReply& reply) {
  const auto key = audit::read_key(reply.log_key());
  const audit::KnownHistory known = store.identity.history();
  if (known.key == key) return;
  if (known.key && known.checkpoint) {
    v1::SetBackEvidence evidence;
    audit::write_checkpoint(*known.checkpoint, *evidence.mutable_before());
    evidence.set_key_before(known.key->data(), known.key->size());
    evidence.set_noticed_ms(store.environment.wall_clock().ms);
    store.identity.add_set_back_evidence(evidence);
  }
  store.identity.set_history({key, {}});
  // Receipts were of the former history.
  store.identity.set_receipted_counter(0);
}

// The office has taken the key for another person's. What is saved here may not become
// theirs: nothing goes out under that key's id.
Error for_another_person(LocalStore& store, const v1::EnrolReply& reply, bool anew) {
  const DeviceReadAgain read_again(store.identity);
  storage::Transaction transaction(store.vault);
  store.identity.set_next_key({}, {});
  if (!anew) {
    // It was the store's own key: the office was restored to before it had it.
    if (auto reopened = store.fork.begin_comparison(); !reopened) return reopened.error();
    store.identity.set_forked_from(1);
    if (auto begun = begin_anew(store, store.environment.make_key()); !begun) return begun.error();
  }
  transaction.commit();
  return {Errc::not_permitted, "The code is for " + reply.person().name() + ", and what is saved here is by " +
                                   store.identity.person_name() + ". Ask for a code for " +
                                   store.identity.person_name() + "."};
}

}  // namespace

Result<void> enrol(LocalStore& store, const std::string& text, const std::string& device_name,
                   const CanCancel& can_cancel) {
  auto enrolment = engine::parse_enrolment(text);
  if (!enrolment) return enrolment.error();
  auto asked = ask_with_its_key(store, *enrolment, device_name, can_cancel);
  if (asked && next_key_is_spent(*asked)) {
    {
      const std::lock_guard lock(store.mutex);
      forget_next_key(store);
    }
    asked = ask_with_its_key(store, *enrolment, device_name, can_cancel);
  }
  if (!asked) return asked.error();
  const auto& [anew, key, reply] = *asked;
  if (!reply) return reply.error();
  const std::lock_guard lock(store.mutex);
  const core::PersonId person = *core::PersonId::from_bytes(reply->person().id());
  const core::PersonId saved_by = store.identity.person();
  if (!saved_by.is_none() && person != saved_by) return for_another_person(store, *reply, anew);
  const DeviceReadAgain read_again(store.identity);
  storage::Transaction transaction(store.vault);
  if (anew) {
    if (auto begun = begin_anew(store, key); !begun) return begun;
  }
  store.identity.set_person(person, reply->person().name());
  store.identity.set_server(enrolment->address);
  store.identity.set_server_pins(enrolment->pins);
  take_log_key(store, *reply);
  transaction.commit();
  // Who loses the log from now on has no empty store: the office knows the device.
  store.vault.empty_log();
  return {};
}

}  // namespace fieldsync::api
