// The laws of the merge over random histories. tests/support/core_random_history.h
// says how many are tried (FIELDSYNC_HISTORIES, 300 by default) and how a failure is
// repeated. Numbers in brackets are those of the invariants in the design, section 9.
#include <algorithm>
#include <set>

#include "support/core_random_history.h"

using namespace fieldsync::core;
using namespace fieldsync::testing;

namespace {

// What a state is to hold, by definition and without any cleverness.
struct Model {
  std::vector<FieldState> fields;
  std::set<std::pair<FieldKey, ValueId>> awaited;
  SeenVector seen;
};

Model model_of(const Order& operations) {
  Model model;
  std::map<FieldKey, std::map<ValueId, Value>> live;
  std::set<std::pair<FieldKey, ValueId>> replaced;
  for (const Operation* each : operations) {
    model.seen.add(each->id);
    for (std::size_t i = 0; i < each->writes.size(); ++i) {
      const FieldWrite& write = each->writes[i];
      live[write.key].insert({ValueId{each->id, place_of_write(*each, i)}, write.value});
      for (const ValueId& id : write.replaces) replaced.insert({write.key, id});
    }
  }
  for (const auto& [where, id] : replaced) {
    live[where].erase(id);
    if (!model.seen.covers(id.operation)) model.awaited.insert({where, id});
  }
  for (const auto& [where, values] : live) {
    if (values.empty()) continue;
    model.fields.push_back({where, {}});
    for (const auto& [id, value] : values) model.fields.back().siblings.push_back({id, value});
  }
  return model;
}

std::set<std::pair<FieldKey, ValueId>> awaited_by(const RecordState& state) {
  std::set<std::pair<FieldKey, ValueId>> ids;
  for (const Awaited& each : state.awaited) ids.insert({each.key, each.value});
  return ids;
}

std::vector<OperationId> live_operations(const RecordState& state) {
  std::set<OperationId> live;
  for (const FieldState& field : state.fields) {
    for (const Sibling& sibling : field.siblings) live.insert(sibling.id.operation);
  }
  return {live.begin(), live.end()};
}

std::vector<OperationId> stamped_operations(const RecordState& state) {
  std::vector<OperationId> ids;
  for (const StampedOperation& stamped : state.stamps) ids.push_back(stamped.id);
  return ids;
}

bool knew(const Written& written, const OperationId& operation) {
  return operation.counter <= written.known[operation.device.bytes.back() - 1u];
}

// By what the device had really taken up, not by what its deletion says.
bool truly_covered(const Play& play, const RecordState& state, const ItemId& item) {
  const FieldKey existence{item, existence_field};
  const auto sees_all = [&](const Written& author) {
    for (const FieldState& field : state.fields) {
      if (!item.is_none() && field.key.item != item) continue;
      for (const Sibling& sibling : field.siblings) {
        const bool deletion = field.key == existence && std::holds_alternative<Deletion>(sibling.value);
        if (!deletion && !knew(author, sibling.id.operation)) return false;
      }
    }
    return true;
  };
  for (const Sibling& sibling : state.siblings(existence)) {
    if (!std::holds_alternative<Deletion>(sibling.value)) continue;
    const auto author = std::find_if(play.written.begin(), play.written.end(),
                                     [&](const Written& each) { return each.id == sibling.id.operation; });
    if (sees_all(*author)) return true;
  }
  return false;
}

// At the end somebody reads what most of the others know, and deletes.
History ending_in_deletion(History history, unsigned seed) {
  for (int peer = 0; peer < history.devices; ++peer) {
    if (seed % 4 != 0 || peer != 1) history.steps.push_back({StepKind::pull, 0, peer, 0, 0, 1000});
  }
  history.steps.push_back({StepKind::delete_, 0, 0, static_cast<int>(seed % 3), 0, 0});
  return history;
}

}  // namespace

TEST_CASE("the same operations give the same state in every interleaving, sent once or more often (1, 8)",
          "[core][laws]") {
  for_all_histories([](const History& history, unsigned seed) {
    const Play play(history);
    const Lengths part = some_of(play.logs, seed);
    const RecordState one = applied(interleaved(play.logs, part, seed));
    const RecordState other = applied(with_repeats(interleaved(play.logs, part, seed + 1), seed));
    RC_ASSERT(one == other);
  });
}

TEST_CASE("replicas that have taken up everything are equal to each other and to the server (1)", "[core][laws]") {
  for_all_histories([](const History& history, unsigned seed) {
    Play play(history);
    const RecordState server = applied(interleaved(play.logs, play.all(), seed));
    RC_ASSERT(server.awaited.empty());
    for (std::size_t device = 0; device < play.replicas.size(); ++device) {
      for (std::size_t peer = 0; peer < play.replicas.size(); ++peer) play.pull(device, peer, 100000, seed + 1);
      RC_ASSERT(play.known[device] == play.all());
      RC_ASSERT(play.replicas[device].state == server);
    }
  });
}

TEST_CASE("a value stays until an operation names it as replaced, and no longer (3)", "[core][laws]") {
  for_all_histories([](const History& history, unsigned seed) {
    const Play play(history);
    const Order order = interleaved(play.logs, some_of(play.logs, seed), seed);
    const RecordState state = applied(order);
    const Model model = model_of(order);
    RC_ASSERT(state.fields == model.fields);
    RC_ASSERT(state.seen == model.seen);
    RC_ASSERT(awaited_by(state) == model.awaited);
    RC_ASSERT(stamped_operations(state) == live_operations(state));
  });
}

TEST_CASE("a counter is the sum of its distinct counts under retry and duplication (4)", "[core][laws]") {
  for_all_histories([](History history, unsigned seed) {
    history.first_field = 2;  // the counter, and few others
    history.field_count = 1 + history.field_count % 3;
    const Play play(history);
    const Lengths part = some_of(play.logs, seed);
    const RecordState state = applied(with_repeats(interleaved(play.logs, part, seed), seed));
    std::int64_t sum = 0;
    for (const Written& each : play.written) {
      if (state.seen.covers(each.id)) sum += each.counted;
    }
    const Form form = visit_form();
    const FieldView view = view_field(state, key(fields::head_count), form.find(fields::head_count));
    const Value shown = view.shown.empty() ? integer(0) : view.shown.front().value;
    RC_ASSERT(shown == integer(sum));
  });
}

TEST_CASE("edits made one after having seen the other leave one value and no conflict (7)", "[core][laws]") {
  for_all_histories([](const History& history) {
    const Play play(one_after_the_other(history));
    const RecordState state = applied(interleaved(play.logs, play.all(), 1));
    const Form form = visit_form();
    RC_ASSERT(open_conflicts(state, &form).empty());
    for (const FieldState& field : state.fields) {
      const FormField* known = form.find(field.key.field);
      if (known == nullptr || known->policy == MergePolicy::keep_siblings) RC_ASSERT(field.siblings.size() == 1u);
    }
  });
}

TEST_CASE("a field is in conflict just where its siblings hold several values (7)", "[core][laws]") {
  for_all_histories([](const History& history, unsigned seed) {
    const Play play(history);
    const RecordState state = applied(interleaved(play.logs, some_of(play.logs, seed), seed));
    const Form form = visit_form();
    for (const FieldState& field : state.fields) {
      const FormField* known = form.find(field.key.field);
      const bool person_decides = known == nullptr || known->policy == MergePolicy::keep_siblings;
      std::set<Value> values;
      for (const Sibling& sibling : field.siblings) values.insert(sibling.value);
      RC_ASSERT(view_field(state, field.key, known).conflict == (person_decides && values.size() > 1));
    }
  });
}

TEST_CASE("a delete hides no edit that its author had not seen (9)", "[core][laws]") {
  for_all_histories([](const History& history, unsigned seed) {
    const Play play(ending_in_deletion(history, seed));
    const RecordState state = applied(interleaved(play.logs, some_of(play.logs, seed), seed));
    RC_ASSERT(state.hidden() == truly_covered(play, state, item(0)));
    for (const int number : {1, 2})
      RC_ASSERT(state.item_hidden(item(number)) == truly_covered(play, state, item(number)));
  });
}

TEST_CASE("a deletion that hides nothing is contested, and one that hides is not (9)", "[core][laws]") {
  for_all_histories([](const History& history, unsigned seed) {
    const Play play(ending_in_deletion(history, seed));
    const RecordState state = applied(interleaved(play.logs, some_of(play.logs, seed), seed));
    std::size_t deletions = 0;
    for (const Sibling& sibling : state.siblings(key(existence_field))) {
      deletions += std::holds_alternative<Deletion>(sibling.value) ? 1 : 0;
    }
    RC_ASSERT(state.contested_deletions().size() == (state.hidden() ? 0 : deletions));
  });
}

TEST_CASE("no write replaces a value that was not on its author's screen (9)", "[core][laws]") {
  for_all_histories([](const History& history) {
    const Play play(history);
    for (const Written& about : play.written) {
      const Operation& written = play.logs[about.id.device.bytes.back() - 1u][about.id.counter - 1];
      for (const FieldWrite& write : written.writes) {
        for (const ValueId& replaced : write.replaces) {
          RC_ASSERT(std::count(about.on_screen.begin(), about.on_screen.end(), replaced) > 0);
        }
      }
    }
  });
}

TEST_CASE("the state does not grow with the number of edits (14)", "[core][laws]") {
  for_all_histories([](const History& history) {
    const Play play(one_after_the_other(history, 3));
    const RecordState state = applied(interleaved(play.logs, play.all(), 1));
    const Form form = visit_form();
    const auto devices = static_cast<std::size_t>(history.devices);
    std::size_t siblings = 0;
    for (const FieldState& field : state.fields) {
      siblings += field.siblings.size();
      const FormField* known = form.find(field.key.field);
      const MergePolicy policy = known == nullptr ? MergePolicy::keep_siblings : known->policy;
      if (policy == MergePolicy::append) continue;  // grows with what people enter, and is meant to
      const std::size_t most = policy == MergePolicy::set       ? 3 + 1  // the elements there are, and an emptied place
                               : policy == MergePolicy::counter ? devices
                               : policy == MergePolicy::per_author ? static_cast<std::size_t>(history.persons)
                                                                   : 1;
      RC_ASSERT(field.siblings.size() <= most);
      std::set<Value> values;
      for (const Sibling& sibling : field.siblings) values.insert(sibling.value);
      if (policy == MergePolicy::set) RC_ASSERT(values.size() == field.siblings.size());
    }
    RC_ASSERT(state.stamps.size() <= siblings);
    RC_ASSERT(state.awaited.empty());
    RC_ASSERT(state.seen.newest.size() <= devices);
  });
}

TEST_CASE("a field that no form here knows comes out as it went in, whatever else is edited (16)", "[core][laws]") {
  static const std::vector<Value> values = {
      empty(),
      text("\"Ош\""),
      integer(INT64_MIN),
      Value{1e300},
      no(),
      choice("x"),
      date(-1),
      Instant{INT64_MAX},
      record(9),
      Position{-1, 1},
      Attachment{{{{1, 2, 3}}, 9}, AttachmentKind::audio, "audio/ogg", "a.ogg", AttachmentFile{{{4}}, 5}},
      LocalText{"ky", "Ош"},
      SealedValue{7, "box", {{"holder", "key"}}}};
  for_all_histories([](const History& history, unsigned seed) {
    Play play(history);
    const FieldKey where = key(901, static_cast<int>(seed % 3));
    const Value& value = values[seed % values.size()];
    play.logs.push_back({operation(op_id(9, 1), {sets(where, value)})});
    const RecordState state = applied(interleaved(play.logs, play.all(), seed));
    RC_ASSERT(state.siblings(where).size() == 1u);
    RC_ASSERT(state.siblings(where).front() == (Sibling{value_id(9, 1), value}));
  });
}
