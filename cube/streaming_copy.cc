#include "cube/streaming_copy.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/cache_line.h"

namespace internode::cube {

#ifdef __SSE2__

void StreamingCopy(const std::byte* from, size_t bytes, std::byte* to) {
  constexpr size_t kLineBytes{kCacheLineBytes};
  const size_t before =
      std::min(bytes, -reinterpret_cast<uintptr_t>(to) % kLineBytes);
  if (before > 0) std::memcpy(to, from, before);
  size_t done = before;
  for (; done + kLineBytes <= bytes; done += kLineBytes) {
    const auto* const source = reinterpret_cast<const __m128i_u*>(from + done);
    auto* const target = reinterpret_cast<__m128i*>(to + done);
    for (int i = 0; i < 4; ++i) {
      _mm_stream_si128(target + i, _mm_loadu_si128(source + i));
    }
  }
  if (done < bytes) std::memcpy(to + done, from + done, bytes - done);
}

void FinishStreaming() { _mm_sfence(); }

#else

void StreamingCopy(const std::byte* from, size_t bytes, std::byte* to) {
  std::memcpy(to, from, bytes);
}

void FinishStreaming() {}

#endif

}  // namespace internode::cube
