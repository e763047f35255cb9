// interleaving_store.h: lets other requests be handled between the database calls
// of one, and, where the node's connection is stale, within one: it then reads what
// was true before them. What a service relies on after that is found out.
#pragma once

#include <functional>

#include "store/store.h"

namespace fieldsync::sim {

class InterleavingStore final : public server::Store {
 public:
  // `while_stale` is called once a read sees no later commit any more.
  InterleavingStore(server::Store& store, std::function<void()> between, std::function<void()> while_stale)
      : store_(store), between_(std::move(between)), while_stale_(std::move(while_stale)) {}

  Result<void> write(const std::function<Result<void>(server::WriteTransaction&)>& body) override {
    between_();
    return store_.write(body);
  }
  Result<void> read(const std::function<Result<void>(server::ReadTransaction&)>& body) override {
    between_();
    return store_.read([&](server::ReadTransaction& transaction) {
      static_cast<void>(transaction.forms_version());  // SQLite's snapshot begins with what is first read
      while_stale_();
      return body(transaction);
    });
  }

 private:
  server::Store& store_;
  std::function<void()> between_;
  std::function<void()> while_stale_;
};

}  // namespace fieldsync::sim
