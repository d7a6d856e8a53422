// Frames into the spool and out of it, on the file system of the temporary
// folder (TMPDIR), and frames made and checked. bytes_per_second is the figure;
// --benchmark_format=json prints JSON.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"

#include "core/crc32c.h"
#include "core/frame.h"
#include "core/frame_encoder.h"
#include "core/frame_reader.h"
#include "scheduler/spool/spool.h"
#include "scheduler/spool/spool_reader.h"

namespace internode::scheduler {
namespace {

using internode::core::BlockResult;
using internode::core::FrameEncoder;
using internode::core::FrameReader;
using internode::core::FrameView;
using internode::core::PixelStatus;

constexpr int64_t kRecordBytes = 128;
// Written before the spool is begun anew, so that the disk does not fill.
constexpr int64_t kMostBytes = int64_t{1} << 30;

std::shared_ptr<const internode::core::RecordSchema> Schema() {
  internode::core::Field field;
  field.name = "values";
  field.type = internode::core::DataType::kFloat64;
  field.dims = {"value"};
  internode::core::LabelledDimension dim = {.name = "value", .labels = {}};
  for (int64_t i = 0; i < kRecordBytes / 8; ++i) {
    dim.labels.push_back("v" + std::to_string(i));
  }
  return std::make_shared<const internode::core::RecordSchema>(
      internode::core::RecordSchema::Create({field}, {dim}).value());
}

BlockResult OneRecord() {
  BlockResult result(Schema());
  result.AddRecord();
  result.FinishPixel(PixelStatus::kOk);
  return result;
}

std::string MakeFrame(int64_t first_task, int64_t num_tasks) {
  const BlockResult result = OneRecord();
  FrameEncoder encoder(first_task, kRecordBytes);
  for (int64_t i = 0; i < num_tasks; ++i) {
    if (!encoder.Append(result).ok()) std::abort();
  }
  return encoder.Finish().value();
}

void CountBytes(int64_t frame_bytes, benchmark::State* state) {
  state->SetBytesProcessed(static_cast<int64_t>(state->iterations()) *
                           frame_bytes);
}

void BM_Crc32c(benchmark::State& state) {
  const std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    benchmark::DoNotOptimize(internode::core::Crc32c(bytes));
  }
  CountBytes(state.range(0), &state);
}
BENCHMARK(BM_Crc32c)->Arg(64)->Arg(4 << 10)->Arg(1 << 20)->Arg(64 << 20);

void BM_EncodeFrame(benchmark::State& state) {
  const BlockResult result = OneRecord();
  int64_t bytes = 0;
  FrameEncoder encoder(0, kRecordBytes);
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) {
      if (!encoder.Append(result).ok()) std::abort();
    }
    bytes = static_cast<int64_t>(encoder.Finish()->size());
  }
  CountBytes(bytes, &state);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) *
                          state.range(0));
}
BENCHMARK(BM_EncodeFrame)->Arg(100)->Arg(10000);

void BM_ParseFrame(benchmark::State& state) {
  const std::string frame = MakeFrame(0, state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(FrameView::Parse(frame).ok());
  }
  CountBytes(static_cast<int64_t>(frame.size()), &state);
}
BENCHMARK(BM_ParseFrame)->Arg(100)->Arg(10000);

void BM_ReadFrame(benchmark::State& state) {
  const std::string frame = MakeFrame(0, state.range(0));
  BlockResult result(Schema());
  for (auto _ : state) {
    const FrameView view = FrameView::Parse(frame).value();
    for (FrameReader reader(view); reader.Next();) {
      if (!reader.CopyTo(&result).ok()) std::abort();
    }
  }
  CountBytes(static_cast<int64_t>(frame.size()), &state);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) *
                          state.range(0));
}
BENCHMARK(BM_ReadFrame)->Arg(100)->Arg(10000);

// A spool on disk with one job, begun anew when it has become large.
class Disk {
 public:
  explicit Disk(Durability durability) : durability_(durability) {
    folder_ = std::filesystem::temp_directory_path() / "spool_benchXXXXXX";
    if (mkdtemp(folder_.data()) == nullptr) std::abort();
    Open();
  }
  ~Disk() {
    spool_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Open() {
    spool_ = Spool::Open(PosixFileSystem(), folder_ + "/spool",
                         {.durability = durability_})
                 .value();
    if (!spool_->Recover(1).ok()) std::abort();
  }

  void Append(const std::string& frame) {
    const FrameView view = FrameView::Parse(frame).value();
    if (!spool_->Append(1, view).ok()) std::abort();
  }
  void Commit() {
    if (!spool_->Commit().empty()) std::abort();
  }
  bool Full() const { return spool_->disk_bytes() > kMostBytes; }
  void Clear() {
    if (!spool_->Forget(1).ok() || !spool_->DeleteForgotten(1).ok() ||
        !spool_->Create(1).ok()) {
      std::abort();
    }
  }
  Spool& spool() { return *spool_; }

 private:
  const Durability durability_;
  std::string folder_;
  std::unique_ptr<Spool> spool_;
};

// Frames of range(0) tasks, range(1) to a commit: checked, written, committed,
// read and checked again, as on their way from a worker to a client.
void ThroughSpool(benchmark::State& state, Durability durability) {
  Disk disk(durability);
  const int64_t tasks = state.range(0);
  const std::string frame = MakeFrame(0, tasks);
  int64_t next = 0;
  auto reader = std::make_unique<SpoolReader>(disk.spool().Find(1), 0);
  for (auto _ : state) {
    state.PauseTiming();
    if (disk.Full()) {
      disk.Clear();
      next = 0;
      reader = std::make_unique<SpoolReader>(disk.spool().Find(1), 0);
    }
    std::vector<std::string> frames;
    for (int64_t i = 0; i < state.range(1); ++i, next += tasks) {
      frames.push_back(MakeFrame(next, tasks));
    }
    state.ResumeTiming();
    for (const std::string& sent : frames) disk.Append(sent);
    disk.Commit();
    while (reader->next_task() < next) {
      if (!reader->Next()->has_value()) std::abort();
    }
  }
  CountBytes(static_cast<int64_t>(frame.size()) * state.range(1), &state);
}
void BM_ThroughSpoolOs(benchmark::State& state) {
  ThroughSpool(state, Durability::kOs);
}
void BM_ThroughSpoolFsync(benchmark::State& state) {
  ThroughSpool(state, Durability::kFsync);
}
BENCHMARK(BM_ThroughSpoolOs)
    ->Args({1, 64})
    ->Args({100, 16})
    ->Args({10000, 8})
    ->UseRealTime();
BENCHMARK(BM_ThroughSpoolFsync)
    ->Args({1, 64})
    ->Args({100, 16})
    ->Args({10000, 1})
    ->Args({10000, 8})
    ->Args({10000, 32})
    ->UseRealTime();

// A restart: the spool of range(0) frames of 1000 tasks each is read, checked
// and indexed.
void BM_Recover(benchmark::State& state) {
  Disk disk(Durability::kOs);
  int64_t next = 0;
  for (int64_t i = 0; i < state.range(0); ++i, next += 1000) {
    disk.Append(MakeFrame(next, 1000));
  }
  disk.Commit();
  const int64_t bytes = disk.spool().disk_bytes();
  for (auto _ : state) disk.Open();
  if (disk.spool().Find(1)->num_done() != next) std::abort();
  CountBytes(bytes, &state);
}
BENCHMARK(BM_Recover)
    ->Arg(100)
    ->Arg(5000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace internode::scheduler
