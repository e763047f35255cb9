// operators.cpp: memory that C++ gives back is overwritten first. Replaces the global
// operators ([new.delete] in the C++ standard) of the program that links it, so that what a
// person wrote does not stay in the memory of an app whose store is locked. The library
// itself overwrites what its C libraries hold.
#include <malloc.h>
#include <sodium.h>

#include <cstdlib>
#include <new>

namespace {

template <typename Allocate>
void* take(Allocate allocate) {
  while (true) {
    if (void* memory = allocate()) return memory;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

void give_back(void* memory) noexcept {
  if (memory == nullptr) return;
  sodium_memzero(memory, malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

// The operators for arrays and those that do not throw call these.
void* operator new(std::size_t size) {
  return take([size] { return std::malloc(size == 0 ? 1 : size); });
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto bytes = static_cast<std::size_t>(alignment);
  return take([=] { return std::aligned_alloc(bytes, (size + bytes - 1) / bytes * bytes); });
}

void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }
