#ifndef INTERNODE_CUBE_READ_COUNTERS_H_
#define INTERNODE_CUBE_READ_COUNTERS_H_

#include <cstdint>

namespace internode::cube {

// What block readers did without the HDF5 library.
struct ReadCounters {
  // Storage chunks that were decoded: decompressed, or read as they are.
  int64_t chunks_decoded = 0;
  // Times that a decoded storage chunk was there already.
  int64_t chunks_reused = 0;
  // Storage chunks that a block needed and that were never written.
  int64_t chunks_absent = 0;
  // Bytes of decoded storage chunks, and of the file that were read.
  int64_t decoded_bytes = 0;
  int64_t read_bytes = 0;

  ReadCounters& operator+=(const ReadCounters& other) {
    chunks_decoded += other.chunks_decoded;
    chunks_reused += other.chunks_reused;
    chunks_absent += other.chunks_absent;
    decoded_bytes += other.decoded_bytes;
    read_bytes += other.read_bytes;
    return *this;
  }
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_READ_COUNTERS_H_
