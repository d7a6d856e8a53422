#include "cube/segment_merge.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "cube/segment_reader.h"
#include "cube/segment_same.h"
#include "cube/segment_writer.h"

namespace internode::cube {
namespace {

using Readers = std::vector<std::unique_ptr<SegmentReader>>;

const SegmentFilePart& PartIn(const SegmentReader& reader) {
  return *reader.spec().part;
}

// The parts, in the order of their chunks; those without chunks are left out.
absl::StatusOr<Readers> OpenParts(const std::vector<std::string>& paths) {
  if (paths.empty()) {
    return absl::InvalidArgumentError("there are no parts to merge");
  }
  Readers readers;
  for (const std::string& path : paths) {
    INTERNODE_ASSIGN_OR_RETURN(auto reader, SegmentReader::Open(path));
    if (!reader->spec().part.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path,
                       "' is not a part of a job: it was not "
                       "written with --job-id and --job-total"));
    }
    if (!readers.empty()) {
      const std::string difference =
          Difference(readers[0]->spec(), reader->spec());
      if (!difference.empty()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "'", readers[0]->path(), "' and '", path,
            "' are parts of different jobs: ", difference, " differs"));
      }
    }
    readers.push_back(std::move(reader));
  }
  return readers;
}

// "part 3 of 7 (chunks 20 to 29)", as far as the parts that are there tell.
std::string NameMissing(const Readers& readers, int64_t begin, int64_t end) {
  std::string chunks = absl::StrCat("chunks ", begin, " to ", end - 1);
  const int64_t total = PartIn(*readers[0]).total;
  const int64_t num_chunks = readers[0]->spec().grid.num_chunks();
  std::vector<int64_t> ids;
  for (int64_t id = 1; id <= total && ids.size() < 20; ++id) {
    const absl::StatusOr<SegmentFilePart> part = PartOf(num_chunks, id, total);
    if (part.ok() && part->first_chunk < end && begin < part->end_chunk) {
      ids.push_back(id);
    }
  }
  if (ids.empty()) return chunks;
  return absl::StrCat(ids.size() == 1 ? "part " : "parts ",
                      absl::StrJoin(ids, ", "), " of ", total, " (", chunks,
                      ")");
}

absl::Status CheckComplete(Readers* readers) {
  std::stable_sort(
      readers->begin(), readers->end(), [](const auto& a, const auto& b) {
        return std::pair(PartIn(*a).first_chunk, PartIn(*a).end_chunk) <
               std::pair(PartIn(*b).first_chunk, PartIn(*b).end_chunk);
      });
  const int64_t num_chunks = (*readers)[0]->spec().grid.num_chunks();
  int64_t next = 0;
  std::string before;
  for (const auto& reader : *readers) {
    const SegmentFilePart& part = PartIn(*reader);
    if (part.first_chunk == part.end_chunk) continue;
    if (part.first_chunk < next) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", before, "' and '", reader->path(),
                       "' overlap: both hold chunk ", part.first_chunk));
    }
    if (part.first_chunk > next) {
      return absl::InvalidArgumentError(absl::StrCat(
          NameMissing(*readers, next, part.first_chunk), " is missing"));
    }
    next = part.end_chunk;
    before = reader->path();
  }
  if (next < num_chunks) {
    return absl::InvalidArgumentError(
        absl::StrCat(NameMissing(*readers, next, num_chunks), " is missing"));
  }
  return absl::OkStatus();
}

absl::Status CopyPart(SegmentReader* reader, SegmentWriter* writer,
                      core::BlockResult* result,
                      const SegmentMergeOptions& options) {
  const SegmentFilePart& part = PartIn(*reader);
  const int64_t num_chunks = reader->spec().grid.num_chunks();
  for (int64_t chunk = part.first_chunk; chunk < part.end_chunk; ++chunk) {
    INTERNODE_RETURN_IF_ERROR(reader->ReadChunk(chunk, result));
    INTERNODE_RETURN_IF_ERROR(writer->Append(chunk, *result));
    if (options.progress) options.progress(chunk + 1, num_chunks);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MergeSegmentFiles(const std::vector<std::string>& parts,
                               absl::string_view out,
                               const SegmentMergeOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(Readers readers, OpenParts(parts));
  INTERNODE_RETURN_IF_ERROR(CheckComplete(&readers));
  SegmentFileSpec spec = readers[0]->spec();
  spec.part.reset();
  INTERNODE_ASSIGN_OR_RETURN(
      auto writer, SegmentWriter::Create(out, spec, options.overwrite));
  core::BlockResult result(spec.schema);
  for (std::unique_ptr<SegmentReader>& reader : readers) {
    const int64_t before = writer->num_records();
    INTERNODE_RETURN_IF_ERROR(
        CopyPart(reader.get(), writer.get(), &result, options));
    if (writer->num_records() - before != reader->num_records()) {
      return absl::DataLossError(
          absl::StrCat("cannot read '", reader->path(),
                       "': it has segments of pixels that are not in its "
                       "chunks"));
    }
    // Gives its memory back.
    reader.reset();
  }
  return writer->Finish();
}

}  // namespace internode::cube
