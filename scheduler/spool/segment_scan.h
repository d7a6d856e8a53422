#ifndef INTERNODE_SCHEDULER_SPOOL_SEGMENT_SCAN_H_
#define INTERNODE_SCHEDULER_SPOOL_SEGMENT_SCAN_H_

#include <cstdint>
#include <functional>
#include <string>

#include "core/frame.h"
#include "scheduler/spool/file_system.h"
#include "scheduler/spool/segment_format.h"

namespace internode::scheduler {

// Part of a spool file that cannot be used. Its tasks are not done.
struct SpoolDamage {
  enum class Kind {
    // The file ends within a frame, or in zeros: what an interrupted write
    // leaves. Nothing that was acknowledged as durable.
    kTornTail,
    // One frame has changed since it was written; those after it are fine.
    kFrame,
    // The file is unusable from here to its end.
    kRest,
  };

  Kind kind = Kind::kTornTail;
  std::string path;
  int64_t offset = 0;
  int64_t bytes = 0;
  std::string reason;

  // "'/a/00000001.frames': 17 B from byte 1234 on are lost: …".
  std::string ToString() const;
};

// Goes through the segment file at `path`: calls `on_frame(header, offset)` for
// each frame whose checksums are right, in file order, and `on_damage` for each
// part that is not. Reads all bytes, in bounded memory. Never fails: a file
// that cannot be read is damage too.
void ScanSegment(FileSystem* file_system, const std::string& path,
                 const SegmentHeader& expected,
                 const std::function<void(const internode::core::FrameHeader&,
                                          int64_t)>& on_frame,
                 const std::function<void(const SpoolDamage&)>& on_damage);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_SPOOL_SEGMENT_SCAN_H_
