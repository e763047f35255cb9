// planted_error KIND: commits one error, so that a test sees the sanitizer report it.
#include <cstring>
#include <iostream>
#include <limits>
#include <memory>
#include <string_view>
#include <thread>

namespace {

// Out of the optimiser's sight.
template <typename T>
T unknown(T value) {
  volatile T hidden = value;
  return hidden;
}

void read_beyond_the_end() {
  const auto bytes = std::make_unique<char[]>(unknown(std::size_t{8}));
  std::cout << bytes[unknown(std::size_t{8})];
}

void leak() {
  char* memory = new char[unknown(std::size_t{8})];
  std::memset(memory, 1, 8);
  std::cout << memory[unknown(std::size_t{1})];
}

void overflow() { std::cout << unknown(std::numeric_limits<int>::max()) + unknown(1); }

void race() {
  int shared = 0;
  std::thread other([&] { ++shared; });
  ++shared;
  other.join();
  std::cout << shared;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view kind = argc == 2 ? argv[1] : "";
  if (kind == "address") read_beyond_the_end();
  if (kind == "leak") leak();
  if (kind == "undefined") overflow();
  if (kind == "thread") race();
}
