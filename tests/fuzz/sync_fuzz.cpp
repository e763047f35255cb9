// sync_fuzz.cpp: whole syncs of a phone's real store (api/sync_steps.h) with a server that
// may be broken: any status, any bytes, replies that are made up, and the real office's
// replies with parts of them changed. A phone keeps what was saved, and no sync goes on
// for ever. In the end the real office answers alone.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "api/problem.h"
#include "api/sync_steps.h"
#include "codec/operation_codec.h"
#include "codec/record_codec.h"
#include "fieldsync/v1/problem.pb.h"
#include "fuzz/input.h"
#include "fuzz/made_replies.h"
#include "fuzz/must_hold.h"
#include "fuzz/sound_team.h"
#include "fuzz/target.h"
#include "storage/stamper.h"
#include "support/unlocked_store.h"
#include "tls/key_pair.h"

namespace {

using namespace fieldsync;
using fuzz::must_hold;

constexpr std::size_t syncs_max = 3;
// Of a sync with a broken server, which repeats itself afterwards.
constexpr std::size_t exchanges_max = 10;
// Until the phone no longer believes that: it may begin to compare histories first.
constexpr std::size_t repeated_max = 10;
constexpr int retries_max = 3;
// A sync of the sound team's few records takes fewer.
constexpr std::size_t honest_exchanges_max = 40;

// What this device saved, by counter: the operations' bytes.
using Saves = std::map<std::uint64_t, std::string>;

Saves bytes_of(const std::vector<storage::StoredOperation>& operations) {
  Saves saves;
  for (const storage::StoredOperation& each : operations) saves[each.counter] = each.bytes;
  return saves;
}

// Everything that the store can still send: what waits, and what was signed.
Saves all_saves(api::LocalStore& store) {
  const storage::Transaction undone(store.vault);
  must_hold(static_cast<bool>(store.outbox.reopen_after(0)), "what was signed can be read");
  return bytes_of(store.outbox.all());
}

std::set<std::string> all_batches(api::LocalStore& store) {
  std::set<std::string> batches;
  auto select = store.connection->prepare("SELECT first, last, head, content FROM batch");
  while (select.step()) {
    std::string batch = std::to_string(select.integer(0)) + '-' + std::to_string(select.integer(1));
    const std::string row = storage::row_of(select.unsigned_integer(0), select.unsigned_integer(1));
    batch += '|' + store.vault.read({seal::Place::batch, row}, select.blob(2));
    batch += '|' + store.vault.read({seal::Place::batch_content, row}, select.blob(3));
    batches.insert(std::move(batch));
  }
  return batches;
}

api::Environment environment() {
  api::Environment around;
  around.wall_clock = [] { return core::Instant{team::november_2026_ms}; };
  around.steady_clock = [] { return core::Milliseconds{0}; };
  around.jitter = [] { return 0.5; };
  return around;
}

// What was told, with what waits on top.
std::string expected_on_screen(api::LocalStore& store, const core::RecordId& record) {
  core::RecordState state = store.records.replica(record);
  for (const storage::StoredOperation& stored : store.outbox.of_record(record, 0)) {
    std::size_t elements = 0;
    auto operation = codec::decode_operation(stored.bytes, {store.identity.device(), stored.counter},
                                             store.identity.person(), elements);
    must_hold(static_cast<bool>(operation), "an own save can be read");
    const core::Stamp stamp = storage::provisional(*operation);
    state.apply(std::move(*operation), stamp);
  }
  return codec::encode_body(state);
}

// The phone's store, and what it held before the first sync.
class Phone {
 public:
  explicit Phone(std::unique_ptr<api::LocalStore> store)
      : store_(std::move(store)),
        device_(store_->identity.device()),
        last_(store_->identity.last_counter()),
        saves_(all_saves(*store_)),
        batches_(all_batches(*store_)) {
    must_hold(saves_.size() == last_ && last_ > 0, "the team's phone knows all that it saved");
  }

  [[nodiscard]] api::LocalStore& store() { return *store_; }
  [[nodiscard]] std::uint64_t last() const { return last_; }

  void check() {
    const std::uint64_t acknowledged = store_->identity.acknowledged_counter();
    must_hold(store_->identity.device() == device_ && store_->identity.last_counter() == last_,
              "a sync saves nothing, and makes no other device");
    must_hold(last_ >= acknowledged && acknowledged >= store_->identity.durable_counter(),
              "a status says no more than is true");
    check_batches();
    check_waiting(acknowledged);
    check_screen();
  }

  // What takes longer: once for each sync.
  void check_all() {
    check();
    must_hold(all_saves(*store_) == saves_, "every save can still be sent, byte for byte");
    auto integrity = store_->connection->prepare("PRAGMA integrity_check");
    must_hold(integrity.step() && integrity.text(0) == "ok", "the file is whole");
    auto references = store_->connection->prepare("PRAGMA foreign_key_check");
    must_hold(!references.step(), "what waits names its record");
  }

 private:
  // Each may have been sent, and none may be signed with other content.
  void check_batches() {
    std::set<std::string> now = all_batches(*store_);
    for (const std::string& batch : batches_) must_hold(now.contains(batch), "no signed batch is forgotten");
    batches_ = std::move(now);
  }

  void check_waiting(std::uint64_t acknowledged) {
    const Saves waiting = bytes_of(store_->outbox.all());
    for (auto save = saves_.upper_bound(acknowledged); save != saves_.end(); ++save) {
      const auto found = waiting.find(save->first);
      must_hold(found != waiting.end() && found->second == save->second, "what is not acknowledged waits, unchanged");
    }
    for (const storage::StoredOperation& refused : store_->outbox.refused_operations()) {
      must_hold(saves_.contains(refused.counter) && saves_[refused.counter] == refused.bytes,
                "what was refused is kept aside, unchanged");
      must_hold(!waiting.contains(refused.counter), "what was refused does not wait");
    }
  }

  void check_screen() {
    for (const storage::StoredOperation& waiting : store_->outbox.all()) {
      const auto shown = store_->records.shown(waiting.record);
      must_hold(shown.has_value(), "a record with a save that waits is shown");
      must_hold(shown->seen.covers({device_, waiting.counter}), "a save that waits is shown");
      must_hold(codec::encode_body(*shown) == expected_on_screen(*store_, waiting.record),
                "what is shown is what was told, with what waits on top");
    }
    store_->records.for_each_shown([&](const core::RecordState& state) {
      must_hold(!state.id.is_none(), "a record that is shown has an id");
      static_cast<void>(store_->records.replica(state.id));
      return true;
    });
    static_cast<void>(store_->directory.forms());
    static_cast<void>(store_->outbox.refused());
  }

  std::unique_ptr<api::LocalStore> store_;
  core::DeviceId device_;
  std::uint64_t last_;
  Saves saves_;
  std::set<std::string> batches_;
};

using Answer = Result<engine::HttpReply>;

// The real office behind a line.
class Office {
 public:
  Office(team::Office& office, api::LocalStore& store) : office_(office) {
    const auto key = tls::device_public_key(store.identity.certificate_pem());
    must_hold(static_cast<bool>(key), "the phone's certificate can be read");
    peer_key_ = *key;
  }

  engine::HttpReply answer(const api::SendRequest& request) {
    server::Response response = office_.handle(
        {"POST", request.path, "application/x-protobuf", {}, "application/x-protobuf", request.body, peer_key_, "1"});
    return {response.status, std::move(response.content_type), std::move(response.body)};
  }

  [[nodiscard]] std::uint64_t last_counter_of(const core::DeviceId& device) {
    std::uint64_t last = 0;
    must_hold(static_cast<bool>(office_.store().read([&](server::ReadTransaction& transaction) -> Result<void> {
                last = transaction.device_by_id(device)->last_counter;
                return {};
              })),
              "the office can be read");
    return last;
  }

  [[nodiscard]] std::uint64_t digest_of(const core::ScopeId& scope) {
    std::uint64_t digest = 0;
    must_hold(static_cast<bool>(office_.store().read([&](server::ReadTransaction& transaction) -> Result<void> {
                digest = transaction.scope(scope)->digest;
                return {};
              })),
              "the office can be read");
    return digest;
  }

 private:
  team::Office& office_;
  std::string peer_key_;
};

Errc made_code(fuzz::Input& input) {
  const auto all = all_errors();
  return all[input.below(static_cast<std::uint32_t>(all.size()))].code;
}

engine::HttpReply made_problem(fuzz::Input& input) {
  // Most others end the sync; these two make the phone compare histories.
  Errc code = Errc::device_forked;
  switch (input.below(3)) {
    case 0: break;
    case 1: code = Errc::batch_chain_broken; break;
    default: code = made_code(input); break;
  }
  v1::Problem problem;
  problem.set_code(std::string(describe(code).name));
  problem.set_detail(std::string(input.bytes(input.below(8))));
  const int status = input.below(4) == 0 ? static_cast<int>(input.number()) : describe(code).http_status;
  return {status, "application/x-protobuf", problem.SerializeAsString()};
}

// That of the batch that ends there, so that the phone knows its own history.
void set_hash(fuzz::Input& input, api::LocalStore& store, v1::SyncReply& reply) {
  if (input.below(4) == 0) return reply.set_last_batch_hash_prefix(std::string(input.bytes(input.below(9))));
  const auto position = store.outbox.position_at(reply.acknowledged_counter(), {});
  if (!position || position->counter == 0) return;
  reply.set_last_batch_hash_prefix(position->hash.data(), codec::previous_hash_prefix_bytes);
}

void change_reply(fuzz::Input& input, api::LocalStore& store, v1::SyncReply& reply) {
  for (std::uint32_t left = 1 + input.below(3); left > 0; --left) {
    switch (input.below(13)) {
      case 0: reply.set_acknowledged_counter(input.below(10)); break;
      case 1: set_hash(input, store, reply); break;
      case 2: reply.set_more(!reply.more()); break;
      case 3: reply.set_durable_counter(input.wide_number()); break;
      case 4: reply.set_minimum_protocol_version(input.below(4)); break;
      case 5: reply.clear_scopes(); break;
      case 6: reply.clear_stamps(); break;
      case 7: reply.MergeFrom(fuzz::make_reply(input, reply.acknowledged_counter())); break;
      case 8: reply.set_results_complete(!reply.results_complete()); break;
      case 9: reply.clear_results(); break;
      case 10: reply.add_scopes_gone(id_of(team::Place::region).view().data(), core::ScopeId::size); break;
      case 11: {
        for (v1::ScopeChanges& changes : *reply.mutable_scopes()) changes.set_restart(!changes.restart());
        break;
      }
      default: {
        for (v1::ScopeChanges& changes : *reply.mutable_scopes()) {
          changes.set_own_first_seq(input.byte());
          if (input.below(2) == 0) changes.set_cursor(std::string(input.bytes(input.below(8))));
          if (input.below(2) == 0) changes.clear_changes();
        }
        break;
      }
    }
  }
}

Answer make_answer(fuzz::Input& input, Phone& phone, Office& office, const api::SendRequest& request) {
  const std::string protobuf = "application/x-protobuf";
  switch (input.below(9)) {
    case 0: return Error{made_code(input), {}};
    case 1: {
      const int status = static_cast<int>(static_cast<std::int16_t>(input.number()));
      std::string type = input.below(2) == 0 ? protobuf : std::string(input.bytes(input.below(16)));
      return engine::HttpReply{status, std::move(type), std::string(input.chunk())};
    }
    case 2: return engine::HttpReply{200, protobuf, std::string(input.chunk())};
    case 3: return made_problem(input);
    case 4:
    case 5: {
      v1::SyncReply reply = fuzz::make_reply(input, phone.store().identity.acknowledged_counter());
      set_hash(input, phone.store(), reply);
      return engine::HttpReply{200, protobuf, reply.SerializeAsString()};
    }
    case 6: {
      static_cast<void>(office.answer(request));
      return Error{Errc::connection_lost, {}};
    }
    case 7: return office.answer(request);
    default: {
      engine::HttpReply answer = office.answer(request);
      v1::SyncReply reply;
      if (answer.status != 200 || !reply.ParseFromString(answer.body)) return answer;
      change_reply(input, phone.store(), reply);
      answer.body = reply.SerializeAsString();
      return answer;
    }
  }
}

// `told`: what the last answer says by itself.
void check_end(Phone& phone, const api::SyncStep& step, std::optional<Errc> told) {
  if (const auto* failed = std::get_if<Error>(&step)) {
    must_hold(failed->code != Errc::storage_corrupt || told == Errc::storage_corrupt,
              "no answer makes a store look damaged");
    return;
  }
  must_hold(phone.store().identity.acknowledged_counter() == phone.last(), "a sync that ended well left nothing here");
}

std::optional<Errc> told_by(const Answer& answer) {
  if (!answer) return answer.error().code;
  return answer->status == 200 ? std::nullopt : std::optional(api::error_of(*answer).code);
}

// Whether the sync ended well. `answer_to` gets each request, may prepare what comes next,
// and says how long the answer took.
template <typename AnswerTo>
bool sync(Phone& phone, int retries, std::size_t requests_max, AnswerTo answer_to) {
  auto steps = api::begin_sync(phone.store(), {.on_progress = [](const SyncProgress&) {}, .retries = retries});
  must_hold(static_cast<bool>(steps), "an enrolled store can begin a sync");
  std::size_t requests = 0;
  int pauses = 0;
  std::optional<Errc> told;
  while (true) {
    const api::SyncStep step = steps->next();
    if (const auto* request = std::get_if<api::SendRequest>(&step)) {
      must_hold(++requests <= requests_max, "a sync ends");
      core::Milliseconds took{0};
      const Answer answer = answer_to(*steps, *request, took);
      told = told_by(answer);
      steps->on_answer(answer, took, {});
      pauses = 0;
    } else if (std::holds_alternative<api::Pause>(step)) {
      must_hold(++pauses <= retries, "a sync that sends nothing ends");
    } else {
      check_end(phone, step, told);
      return std::holds_alternative<SyncReport>(step);
    }
    phone.check();
  }
}

// A server that says one thing for ever, which is no reason to go on.
Answer repeated_answer(std::uint32_t choice, api::LocalStore& store) {
  switch (choice) {
    case 0: return Error{Errc::offline, {}};
    case 1: return engine::HttpReply{503, {}, {}};
    case 2: return engine::HttpReply{200, "application/x-protobuf", {}};
    default: {
      v1::SyncReply reply;
      const codec::ChainPosition acknowledged = store.identity.acknowledged();
      reply.set_acknowledged_counter(acknowledged.counter);
      if (acknowledged.counter > 0)
        reply.set_last_batch_hash_prefix(acknowledged.hash.data(), codec::previous_hash_prefix_bytes);
      reply.set_more(true);
      return engine::HttpReply{200, "application/x-protobuf", reply.SerializeAsString()};
    }
  }
}

void sync_with_broken_server(fuzz::Input& input, Phone& phone, Office& office) {
  const std::uint32_t choice = input.below(16);
  const auto retries = static_cast<int>(choice % (retries_max + 1));
  std::size_t answered = 0;
  const std::size_t requests_max = exchanges_max + repeated_max + static_cast<std::size_t>(retries);
  sync(phone, retries, requests_max,
       [&](api::SyncSteps& steps, const api::SendRequest& request, core::Milliseconds& took) -> Answer {
         if (answered == exchanges_max || input.is_empty()) return repeated_answer(choice / 4, phone.store());
         ++answered;
         const std::uint32_t meanwhile = input.below(4);
         if (meanwhile != 0) steps.prepare_ahead();
         if (meanwhile == 3) took.count = static_cast<std::int64_t>(input.wide_number());
         return make_answer(input, phone, office, request);
       });
  phone.check_all();
}

// Whether it ended well: where a broken server gave the phone what the office refuses, a
// position in a scope, it does not.
bool sync_with_office(Phone& phone, Office& office) {
  const bool ended_well = sync(phone, 0, honest_exchanges_max,
                               [&](api::SyncSteps&, const api::SendRequest& request, core::Milliseconds&) -> Answer {
                                 return office.answer(request);
                               });
  phone.check_all();
  must_hold(!ended_well || office.last_counter_of(phone.store().identity.device()) == phone.last(),
            "after a sync that ended well the office has every save");
  return ended_well;
}

void check_records(Phone& phone, Office& office) {
  for (const storage::ScopeRow& scope : phone.store().directory.scopes()) {
    if (scope.id != id_of(team::Place::region) && scope.id != id_of(team::Place::district)) continue;
    must_hold(scope.digest == office.digest_of(scope.id), "the phone has the office's records again");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  team::Team& team = fuzz::sound_team().put_back();
  must_hold(static_cast<bool>(team.open_office()), "the office is sound");
  auto store = testing::open_unlocked(team.phone.file(), environment());
  must_hold(static_cast<bool>(store), "a sound store opens");
  Phone phone(std::move(*store));
  Office office(*team.office, phone.store());
  fuzz::Input input(data, size);
  for (std::size_t count = 0; count < syncs_max && !input.is_empty(); ++count)
    sync_with_broken_server(input, phone, office);
  // A phone in the middle of a scope cannot tell yet that its records are wrong.
  if (sync_with_office(phone, office) && sync_with_office(phone, office)) check_records(phone, office);
  return 0;
}
