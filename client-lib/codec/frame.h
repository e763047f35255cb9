// frame.h: zstd frames with the dictionary that both sides share.
//
// Every frame declares its content's size and the dictionary's id (RFC 8878);
// both are checked before a byte is decoded.
// Threads: an object serves one thread at a time; the dictionary is shared.
// Memory: holds parts of the last frames until release(), which overwrites them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace fieldsync::codec {

// The id of the dictionary, for SyncRequest.dictionary_id.
[[nodiscard]] std::uint32_t dictionary_id();

class FrameWriter {
 public:
  FrameWriter();
  ~FrameWriter();
  FrameWriter(FrameWriter&&) noexcept;
  FrameWriter& operator=(FrameWriter&&) noexcept;

  [[nodiscard]] std::string compress(std::string_view content);
  void release();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

class FrameReader {
 public:
  FrameReader();
  ~FrameReader();
  FrameReader(FrameReader&&) noexcept;
  FrameReader& operator=(FrameReader&&) noexcept;

  // unsupported_encoding: not a frame, another dictionary, no declared size.
  // request_too_large: more than `content_bytes_max`.
  [[nodiscard]] Result<std::string> decompress(std::string_view frame, std::size_t content_bytes_max);
  void release();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace fieldsync::codec
