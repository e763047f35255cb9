// interleaving_store.h: lets other requests be handled between the database calls
// of one. What a service checks in one call and relies on in the next is found out.
#pragma once

#include <functional>

#include "store/store.h"

namespace fieldsync::sim {

class InterleavingStore final : public server::Store {
 public:
  InterleavingStore(server::Store& store, std::function<void()> between)
      : store_(store), between_(std::move(between)) {}

  Result<void> write(const std::function<Result<void>(server::WriteTransaction&)>& body) override {
    between_();
    return store_.write(body);
  }
  Result<void> read(const std::function<Result<void>(server::ReadTransaction&)>& body) override {
    between_();
    return store_.read(body);
  }

 private:
  server::Store& store_;
  std::function<void()> between_;
};

}  // namespace fieldsync::sim
