#include "engine/sync_session.h"

#include <catch2/catch.hpp>
#include <string>

using namespace fieldsync;
using engine::Action;
using engine::SyncSession;

namespace {

constexpr int retries = 4;

SyncSession with_jitter(double part) {
  return SyncSession(retries, [part] { return part; });
}

SyncSession::Exchanged exchanged(std::size_t batch_bytes, std::size_t reply_bytes, std::int64_t took_ms) {
  SyncSession::Exchanged done;
  done.batch_bytes = batch_bytes;
  done.reply_bytes = reply_bytes;
  done.took = {took_ms};
  done.more_to_send = true;
  done.progress = true;
  return done;
}

const Error lost{Errc::connection_lost, {}};

// The upper bounds of the pauses until the session gives up.
std::vector<std::int64_t> pauses_of(SyncSession& session) {
  std::vector<std::int64_t> pauses;
  while (true) {
    REQUIRE(session.next().kind == Action::Kind::exchange);
    session.on_failure(lost);
    const Action action = session.next();
    if (action.kind == Action::Kind::failed) return pauses;
    REQUIRE(action.kind == Action::Kind::pause);
    pauses.push_back(action.pause.count);
  }
}

}  // namespace

TEST_CASE("A session begins small and ends when nothing is left on either side") {
  SyncSession session = with_jitter(1);
  const Action first = session.next();
  CHECK(first.kind == Action::Kind::exchange);
  CHECK(first.batch_bytes == 48 * 1024);
  CHECK(first.reply_bytes == 64 * 1024);
  SyncSession::Exchanged done = exchanged(0, 0, 10);
  done.more_to_receive = true;
  session.on_reply(done);
  CHECK(session.next().kind == Action::Kind::exchange);
  done.more_to_receive = false;
  session.on_reply(done);
  CHECK(session.next().kind == Action::Kind::exchange);
  done.more_to_send = false;
  session.on_reply(done);
  CHECK(session.next().kind == Action::Kind::finished);
  CHECK(session.next().kind == Action::Kind::finished);
}

TEST_CASE("Pauses grow from one second and are jittered over their whole length") {
  SyncSession longest = with_jitter(1);
  CHECK(pauses_of(longest) == std::vector<std::int64_t>{1'000, 2'000, 4'000, 8'000});
  SyncSession half = with_jitter(0.5);
  CHECK(pauses_of(half) == std::vector<std::int64_t>{500, 1'000, 2'000, 4'000});
  SyncSession none = with_jitter(0);
  CHECK(pauses_of(none) == std::vector<std::int64_t>{0, 0, 0, 0});
}

TEST_CASE("No pause is longer than a minute, however often the link fails") {
  SyncSession session(70, [] { return 1.0; });
  const auto pauses = pauses_of(session);
  REQUIRE(pauses.size() == 70);
  CHECK(pauses[6] == 60'000);
  CHECK(pauses.back() == 60'000);
}

TEST_CASE("Progress starts the count of failures anew, an empty answer does not") {
  SyncSession session = with_jitter(1);
  for (int i = 0; i < 3; ++i) {
    session.on_failure(lost);
    REQUIRE(session.next().kind == Action::Kind::pause);
  }
  SyncSession::Exchanged nothing = exchanged(0, 0, 10);
  nothing.progress = false;
  session.on_reply(nothing);
  session.on_failure(lost);
  CHECK(session.next().pause.count == 8'000);
  session.on_reply(exchanged(1, 1, 10));
  session.on_failure(lost);
  CHECK(session.next().pause.count == 1'000);
}

TEST_CASE("What would fail again is not tried again, nor what a person cancelled") {
  for (const ErrcEntry& entry : all_errors()) {
    SyncSession session = with_jitter(1);
    session.on_failure({entry.code, "why"});
    const Action action = session.next();
    INFO(entry.name);
    const bool again = entry.retry && entry.code != Errc::cancelled;
    CHECK(action.kind == (again ? Action::Kind::pause : Action::Kind::failed));
    if (!again) {
      CHECK(action.error.code == entry.code);
      CHECK(action.error.detail == "why");
    }
  }
}

TEST_CASE("A session without retries fails at once") {
  SyncSession session(0, [] { return 1.0; });
  session.on_failure(lost);
  CHECK(session.next().kind == Action::Kind::failed);
}

TEST_CASE("A fast link lets batches grow four times at each step, up to 256 KiB") {
  SyncSession session = with_jitter(1);
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 5; ++i) {
    const std::size_t size = session.next().batch_bytes;
    sizes.push_back(size / 1024);
    session.on_reply(exchanged(size, 0, 1));
  }
  CHECK(sizes == std::vector<std::size_t>{48, 192, 256, 256, 256});
}

TEST_CASE("A slow link makes batches as small as it carries in eight seconds, down to 2 KiB") {
  SyncSession session = with_jitter(1);
  session.on_reply(exchanged(48 * 1024, 0, 96'000));
  CHECK(session.next().batch_bytes == 4 * 1024);
  session.on_reply(exchanged(4 * 1024, 0, 8'000));
  CHECK(session.next().batch_bytes == 4 * 1024);
  session.on_reply(exchanged(4 * 1024, 0, 600'000));
  CHECK(session.next().batch_bytes == 2 * 1024);
}

TEST_CASE("An answer that comes in no time at all is no reason for more than four times") {
  SyncSession session = with_jitter(1);
  session.on_reply(exchanged(48 * 1024, 64 * 1024, 0));
  CHECK(session.next().batch_bytes == 192 * 1024);
  CHECK(session.next().reply_bytes == 256 * 1024);
}

TEST_CASE("Replies adapt on their own, up to 1 MiB") {
  SyncSession session = with_jitter(1);
  for (int i = 0; i < 4; ++i) session.on_reply(exchanged(0, session.next().reply_bytes, 1));
  CHECK(session.next().reply_bytes == 1024 * 1024);
  CHECK(session.next().batch_bytes == 48 * 1024);
}

TEST_CASE("A small remainder says nothing about the link") {
  SyncSession session = with_jitter(1);
  session.on_reply(exchanged(48 * 1024 / 2 - 1, 100, 60'000));
  CHECK(session.next().batch_bytes == 48 * 1024);
  CHECK(session.next().reply_bytes == 64 * 1024);
}

TEST_CASE("Each failure leaves a quarter of what is sent and asked for, never below 2 KiB") {
  SyncSession session = with_jitter(0);
  std::vector<std::size_t> batches, replies;
  for (int i = 0; i < 4; ++i) {
    session.on_failure(lost);
    REQUIRE(session.next().kind == Action::Kind::pause);
    batches.push_back(session.next().batch_bytes / 1024);
    replies.push_back(session.next().reply_bytes / 1024);
  }
  CHECK(batches == std::vector<std::size_t>{12, 3, 2, 2});
  CHECK(replies == std::vector<std::size_t>{16, 4, 2, 2});
}
