// id.h: the ids of the domain. 128 random bits each, and of distinct types, so
// that a device is never passed where a record is meant.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace fieldsync::core {

// 2, 4, 6, ... lower-case hexadecimal digits.
[[nodiscard]] std::string to_hex(std::string_view bytes);
// Nothing where the text is not an even number of hexadecimal digits.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);

template <typename Tag>
struct Id {
  static constexpr std::size_t size = 16;
  std::array<std::uint8_t, size> bytes{};

  // As unsigned bytes, first to last; in two steps of a word, because ids are
  // compared more often than anything else.
  bool operator==(const Id& other) const { return word(0) == other.word(0) && word(8) == other.word(8); }
  std::strong_ordering operator<=>(const Id& other) const {
    if (word(0) != other.word(0)) return big_endian(word(0)) <=> big_endian(other.word(0));
    return big_endian(word(8)) <=> big_endian(other.word(8));
  }

  // All zeros stand for "none"; no random id is zero.
  [[nodiscard]] bool is_none() const { return *this == Id{}; }

  [[nodiscard]] std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), size}; }
  [[nodiscard]] std::string hex() const { return to_hex(view()); }

  // Nothing where `raw` is not exactly 16 bytes.
  [[nodiscard]] static std::optional<Id> from_bytes(std::string_view raw) {
    if (raw.size() != size) return std::nullopt;
    Id id;
    std::memcpy(id.bytes.data(), raw.data(), size);
    return id;
  }
  [[nodiscard]] static std::optional<Id> parse_hex(std::string_view text) {
    const auto raw = from_hex(text);
    return raw ? from_bytes(*raw) : std::nullopt;
  }

 private:
  [[nodiscard]] std::uint64_t word(std::size_t at) const {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  }
  [[nodiscard]] static std::uint64_t big_endian(std::uint64_t value) {
    return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
  }
};

using RecordId = Id<struct RecordTag>;
using DeviceId = Id<struct DeviceTag>;
using PersonId = Id<struct PersonTag>;
using ScopeId = Id<struct ScopeTag>;
// An entry of a repeated group; none stands for the record itself.
using ItemId = Id<struct ItemTag>;

// One save of one record by one device. Counters are dense per device and start at 1.
struct OperationId {
  DeviceId device;
  std::uint64_t counter = 0;

  auto operator<=>(const OperationId&) const = default;
};

// One value that an operation wrote to a field. Several exist only where the
// field is a set or a list, and one operation adds more than one element.
struct ValueId {
  OperationId operation;
  std::uint32_t place = 0;  // among the operation's writes of the same field

  auto operator<=>(const ValueId&) const = default;
};

// Where a value lives: a field of the record, or of one of its items.
struct FieldKey {
  ItemId item;
  std::uint32_t field = 0;

  auto operator<=>(const FieldKey&) const = default;
};

// The reserved field in which a record or an item is deleted and brought back.
inline constexpr std::uint32_t existence_field = 0;

}  // namespace fieldsync::core
