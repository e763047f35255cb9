// target.h: what libFuzzer, or corpus_main.cpp in an ordinary build, calls.
#pragma once

#include <cstddef>
#include <cstdint>

// A target that has much to prepare does it here already: it would count as the time
// of the first input.
extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
