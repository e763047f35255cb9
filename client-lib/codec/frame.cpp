#include "codec/frame.h"

// For ZSTD_customMem.
#define ZSTD_STATIC_LINKING_ONLY
#include <sodium.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <cstddef>
#include <cstdlib>
#include <new>

#include "core/check.h"

namespace fieldsync::embedded {
extern const std::string_view reports_v1_zdict;
}

namespace fieldsync::codec {
namespace {

// Level 1 costs a third of level 3 here and gives frames 4 % larger.
constexpr int compression_level = 1;
constexpr std::size_t kept_buffer_bytes_max = 1024 * 1024;

// Memory for zstd that is overwritten when it is given back. Each block begins with its size.
constexpr std::size_t size_bytes = alignof(std::max_align_t);

void* take_memory(void*, std::size_t size) {
  auto* block = static_cast<std::size_t*>(std::malloc(size_bytes + size));
  if (block == nullptr) return nullptr;
  *block = size_bytes + size;
  return reinterpret_cast<std::byte*>(block) + size_bytes;
}

void give_memory_back(void*, void* memory) {
  if (memory == nullptr) return;
  std::byte* block = static_cast<std::byte*>(memory) - size_bytes;
  sodium_memzero(block, *reinterpret_cast<std::size_t*>(block));
  std::free(block);
}

constexpr ZSTD_customMem overwritten_memory{take_memory, give_memory_back, nullptr};

template <typename T>
T* made(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return object;
}

// Where there is no memory for it, it is tried again the next time.
const ZSTD_CDict& writing_dictionary() {
  static ZSTD_CDict* const dictionary =
      made(ZSTD_createCDict(embedded::reports_v1_zdict.data(), embedded::reports_v1_zdict.size(), compression_level));
  return *dictionary;
}

const ZSTD_DDict& reading_dictionary() {
  static ZSTD_DDict* const dictionary =
      made(ZSTD_createDDict(embedded::reports_v1_zdict.data(), embedded::reports_v1_zdict.size()));
  return *dictionary;
}

// A context takes its tables when it is first used.
void check_memory(std::size_t size) {
  if (ZSTD_isError(size) && ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation) throw std::bad_alloc();
}

Error refused(const char* what) {
  return {Errc::unsupported_encoding, std::string("A compressed frame was refused: ") + what};
}

}  // namespace

struct FrameWriter::Context {
  ZSTD_CCtx* zstd = made(ZSTD_createCCtx_advanced(overwritten_memory));
  std::string buffer;  // kept from frame to frame
  ~Context() {
    ZSTD_freeCCtx(zstd);
    sodium_memzero(buffer.data(), buffer.size());
  }
};

struct FrameReader::Context {
  ZSTD_DCtx* zstd = made(ZSTD_createDCtx_advanced(overwritten_memory));
  ~Context() { ZSTD_freeDCtx(zstd); }
};

std::uint32_t dictionary_id() { return ZSTD_getDictID_fromDDict(&reading_dictionary()); }

FrameWriter::FrameWriter() = default;
FrameWriter::~FrameWriter() = default;
FrameWriter::FrameWriter(FrameWriter&&) noexcept = default;
FrameWriter& FrameWriter::operator=(FrameWriter&&) noexcept = default;
void FrameWriter::release() { context_.reset(); }

std::string FrameWriter::compress(std::string_view content) {
  if (!context_) context_ = std::make_unique<Context>();
  std::string& buffer = context_->buffer;
  if (buffer.size() < ZSTD_compressBound(content.size())) buffer.resize(ZSTD_compressBound(content.size()));
  const std::size_t size = ZSTD_compress_usingCDict(context_->zstd, buffer.data(), buffer.size(), content.data(),
                                                    content.size(), &writing_dictionary());
  check_memory(size);
  FIELDSYNC_CHECK(!ZSTD_isError(size), "a buffer of the bound's size holds every frame");
  std::string frame = buffer.substr(0, size);
  // One large record should not cost its size for ever.
  if (buffer.size() > kept_buffer_bytes_max) std::string().swap(buffer);
  return frame;
}

FrameReader::FrameReader() = default;
FrameReader::~FrameReader() = default;
FrameReader::FrameReader(FrameReader&&) noexcept = default;
FrameReader& FrameReader::operator=(FrameReader&&) noexcept = default;
void FrameReader::release() { context_.reset(); }

Result<std::string> FrameReader::decompress(std::string_view frame, std::size_t content_bytes_max) {
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR) return refused("it is not a zstd frame.");
  if (size == ZSTD_CONTENTSIZE_UNKNOWN) return refused("it does not declare its size.");
  if (size > content_bytes_max) return Error{Errc::request_too_large, "A compressed frame holds more than is allowed."};
  const unsigned dictionary = ZSTD_getDictID_fromFrame(frame.data(), frame.size());
  if (dictionary != 0 && dictionary != dictionary_id()) return refused("it was made with another dictionary.");
  if (ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size())
    return refused("it is cut short or followed by something.");
  if (!context_) context_ = std::make_unique<Context>();
  std::string content(size, '\0');
  const std::size_t got = ZSTD_decompress_usingDDict(context_->zstd, content.data(), content.size(), frame.data(),
                                                     frame.size(), &reading_dictionary());
  check_memory(got);
  if (ZSTD_isError(got) || got != size) return refused("it is damaged.");
  return content;
}

}  // namespace fieldsync::codec
