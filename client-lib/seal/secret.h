// secret.h: bytes that nobody else may read. They lie in memory that is not part of a core
// dump, between guard pages, and are zeroed when they go (libsodium's sodium_malloc). It is
// not swapped out either, as far as the system lets a program lock memory (RLIMIT_MEMLOCK).
// Each takes some pages: for keys and passphrases, not for content.
//
// Threads  A Secret stays with one thread at a time.
// Errors   Without memory, std::bad_alloc.
#pragma once

#include <cstddef>
#include <string_view>

namespace fieldsync::seal {

class Secret {
 public:
  // Zeros.
  explicit Secret(std::size_t size);
  ~Secret();
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  [[nodiscard]] static Secret random(std::size_t size);
  // The caller still has `bytes` to wipe.
  [[nodiscard]] static Secret copy_of(std::string_view bytes);

  [[nodiscard]] unsigned char* data() { return bytes_; }
  [[nodiscard]] const unsigned char* data() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::string_view view() const { return {reinterpret_cast<const char*>(bytes_), size_}; }

 private:
  unsigned char* bytes_;
  std::size_t size_;
};

}  // namespace fieldsync::seal
