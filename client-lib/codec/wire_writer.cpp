#include "codec/wire_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace fieldsync::codec {
namespace {

constexpr std::size_t first_buffer_bytes = 1024;

}  // namespace

void WireWriter::grow(std::size_t count) {
  buffer_.resize(std::max({first_buffer_bytes, buffer_.size() * 2, size_ + count}));
}

void WireWriter::number(std::uint32_t field, std::uint64_t value) {
  tag(field, WireType::varint);
  varint(value);
}

void WireWriter::fixed64(std::uint32_t field, std::uint64_t value) {
  tag(field, WireType::fixed64);
  std::memcpy(room(sizeof value), &value, sizeof value);
  size_ += sizeof value;
}

void WireWriter::bytes(std::uint32_t field, std::string_view value) {
  tag(field, WireType::bytes);
  varint(value.size());
  if (value.empty()) return;
  std::memcpy(room(value.size()), value.data(), value.size());
  size_ += value.size();
}

std::size_t WireWriter::begin(std::uint32_t field) {
  tag(field, WireType::bytes);
  // One byte for the length, which is enough for most; end() makes more room.
  *room(1) = 0;
  return ++size_;
}

void WireWriter::end(std::size_t mark) {
  const std::size_t content = size_ - mark;
  char length[varint_bytes_max];
  const std::size_t count = put_varint(length, content);
  if (count > 1) {
    room(count - 1);
    std::memmove(buffer_.data() + mark + count - 1, buffer_.data() + mark, content);
    size_ += count - 1;
  }
  std::memcpy(buffer_.data() + mark - 1, length, count);
}

std::string WireWriter::take() {
  buffer_.resize(size_);
  size_ = 0;
  return std::exchange(buffer_, {});
}

}  // namespace fieldsync::codec
