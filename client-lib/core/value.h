// value.h: what one field can hold. Values compare by content, and nothing else
// about them matters to the merge.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/id.h"
#include "core/time.h"

namespace fieldsync::core {

// The field was emptied on purpose.
struct Empty {
  auto operator<=>(const Empty&) const = default;
};

// The stable code of one of a form's choices.
struct Choice {
  std::string code;
  auto operator<=>(const Choice&) const = default;
};

// Days since 1970-01-01 in the place's own calendar.
struct Date {
  std::int32_t days = 0;
  auto operator<=>(const Date&) const = default;
};

// WGS 84, in units of 1e-7 degree.
struct Position {
  std::int32_t latitude_e7 = 0;
  std::int32_t longitude_e7 = 0;
  auto operator<=>(const Position&) const = default;
};

inline constexpr std::uint32_t attachment_bytes_max = 64 * 1024 * 1024;
inline constexpr std::uint32_t preview_bytes_max = 256 * 1024;
inline constexpr std::size_t attachment_name_bytes_max = 255;
inline constexpr std::size_t media_type_bytes_max = 127;

// SHA-256 of an attachment's or a preview's bytes, which names it.
struct AttachmentId {
  std::array<std::uint8_t, 32> sha256{};
  auto operator<=>(const AttachmentId&) const = default;
  [[nodiscard]] std::string_view view() const { return {reinterpret_cast<const char*>(sha256.data()), sha256.size()}; }
  [[nodiscard]] std::string hex() const;
  // Nothing where it is not 32 bytes, or 64 hexadecimal digits.
  [[nodiscard]] static std::optional<AttachmentId> from_bytes(std::string_view bytes);
  [[nodiscard]] static std::optional<AttachmentId> parse_hex(std::string_view text);
};

// Numbers as on the wire (value.proto).
enum class AttachmentKind : std::uint8_t { audio = 1, photo, document };

// The bytes to which an AttachmentId belongs: how many there are is known before they come.
struct AttachmentFile {
  AttachmentId id;
  std::uint32_t size = 0;
  auto operator<=>(const AttachmentFile&) const = default;
};

// What a record says of a photo, a recording or a document.
struct Attachment {
  AttachmentFile file;
  AttachmentKind kind = AttachmentKind::document;
  std::string media_type{};  // "image/jpeg"; empty where it is not known
  std::string name{};        // to be shown, never a path; may be empty
  std::optional<AttachmentFile> preview{};
  auto operator<=>(const Attachment&) const = default;
};

struct LocalText {
  std::string language;  // BCP 47
  std::string text;
  auto operator<=>(const LocalText&) const = default;
};

struct SealedKey {
  std::string holder;
  std::string box;
  auto operator<=>(const SealedKey&) const = default;
};

// Opaque here: only the scope's key holders can read it.
struct SealedValue {
  std::uint32_t key_generation = 0;
  std::string ciphertext;
  std::vector<SealedKey> keys;
  auto operator<=>(const SealedValue&) const = default;
};

// The newest operation of each device that somebody had seen, sorted by device.
struct SeenVector {
  std::vector<OperationId> newest;

  auto operator<=>(const SeenVector&) const = default;

  [[nodiscard]] bool covers(const OperationId& operation) const;
  // Keeps the greater counter.
  void add(const OperationId& operation);
  // 0 where nothing of the device was seen.
  [[nodiscard]] std::uint64_t counter_of(const DeviceId& device) const;
};

// Held by the existence field: hides what it covers.
struct Deletion {
  SeenVector seen;
  auto operator<=>(const Deletion&) const = default;
};

using Value = std::variant<Empty, std::string, std::int64_t, double, bool, Choice, Date, Instant, RecordId, Position,
                           Attachment, LocalText, SealedValue, Deletion>;

}  // namespace fieldsync::core
