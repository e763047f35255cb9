#include "codec/frame.h"

#include <zstd.h>

#include <catch2/catch.hpp>

using namespace fieldsync;

namespace {

const std::string sentence = "Камера 4: терезе жок, жылытуу иштебейт.";

std::string frame_of(const std::string& content) { return codec::FrameWriter().compress(content); }

// "opened", or the name of the refusal.
std::string_view verdict_on(const std::string& frame, std::size_t content_bytes_max = 1'000'000) {
  const auto content = codec::FrameReader().decompress(frame, content_bytes_max);
  return content ? std::string_view("opened") : describe(content.error().code).name;
}

}  // namespace

TEST_CASE("A frame gives back what was put in") {
  codec::FrameWriter writer;
  codec::FrameReader reader;
  for (const std::string& content : {std::string(), sentence, std::string(200'000, 'x'), std::string("\0\xff", 2)}) {
    const auto opened = reader.decompress(writer.compress(content), 200'000);
    REQUIRE(opened);
    CHECK((*opened == content));
  }
}

TEST_CASE("A frame that holds exactly the limit is opened, one byte more is too large") {
  const std::string frame = frame_of(std::string(1'000, 'a'));
  CHECK(verdict_on(frame, 1'000) == "opened");
  CHECK(verdict_on(frame, 999) == "request_too_large");
}

TEST_CASE("A frame cut short at any byte is refused") {
  const std::string frame = frame_of(sentence);
  for (std::size_t size = 0; size < frame.size(); ++size)
    CHECK(verdict_on(frame.substr(0, size)) == "unsupported_encoding");
}

TEST_CASE("A frame that is followed by a byte, or by another frame, is refused") {
  const std::string frame = frame_of(sentence);
  CHECK(verdict_on(frame + '\0') == "unsupported_encoding");
  CHECK(verdict_on(frame + frame) == "unsupported_encoding");
}

TEST_CASE("What is not a zstd frame is refused") {
  CHECK(verdict_on(sentence) == "unsupported_encoding");
  CHECK(verdict_on("") == "unsupported_encoding");
}

TEST_CASE("A frame that does not declare its size is refused") {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string frame(ZSTD_compressBound(sentence.size()), '\0');
  frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), sentence.data(), sentence.size()));
  ZSTD_freeCCtx(context);
  CHECK(verdict_on(frame) == "unsupported_encoding");
}

TEST_CASE("A frame made without any dictionary is opened") {
  std::string frame(ZSTD_compressBound(sentence.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), sentence.data(), sentence.size(), 1));
  CHECK(verdict_on(frame) == "opened");
}

TEST_CASE("A frame with any bit flipped is refused or has the declared size, and never crashes") {
  const std::string frame = frame_of(sentence + sentence);
  codec::FrameReader reader;
  for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
    std::string damaged = frame;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto opened = reader.decompress(damaged, 100'000);
    if (opened) CHECK(opened->size() == ZSTD_getFrameContentSize(damaged.data(), damaged.size()));
  }
  // The reader is as good as before.
  CHECK(reader.decompress(frame, 100'000));
}
