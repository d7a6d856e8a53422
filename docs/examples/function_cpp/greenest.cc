// A pixel function in C++: the date of the greatest value of a band, and that
// value. One record per pixel that has an observation.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

#include "internode/internode_function.h"

namespace {

// The record as it lies in memory: packed, in the order of the declaration.
struct Record {
  int32_t day;
  float value;
};
static_assert(sizeof(Record) == 8);

struct Job {
  std::vector<double> days;
  std::vector<double> missing;
  double valid_min = 0;
  double valid_max = 0;
};

// Calls `f` and turns an exception into an error: none may leave the library.
template <typename F>
int32_t Guarded(F f, char* error, size_t error_size) {
  try {
    return f();
  } catch (const std::exception& e) {
    std::snprintf(error, error_size, "%s", e.what());
  } catch (...) {
    std::snprintf(error, error_size, "unknown exception");
  }
  return INTERNODE_FAILED;
}

int32_t Prepare(const internode_inputs* inputs, const internode_schema* schema,
                void** prepared, char* error, size_t error_size) {
  return Guarded(
      [&]() -> int32_t {
        const internode_series& band = inputs->series[0];
        if (band.type != INTERNODE_INT16) {
          std::snprintf(error, error_size,
                        "variable '%s' must have the type int16", band.label);
          return INTERNODE_INVALID;
        }
        auto job = std::make_unique<Job>();
        job->days.assign(inputs->days, inputs->days + inputs->count);
        job->missing.assign(band.missing, band.missing + band.num_missing);
        job->valid_min = band.valid_min;
        job->valid_max = band.valid_max;
        schema->add_field(schema->context, "day", INTERNODE_INT32, nullptr, 0,
                          nullptr, "days since 1970-01-01",
                          "date of the greatest value");
        schema->add_field(schema->context, "value", INTERNODE_FLOAT32, nullptr,
                          0, nullptr, band.units, "greatest value");
        *prepared = job.release();
        return INTERNODE_OK;
      },
      error, error_size);
}

void DestroyPrepared(void* prepared) { delete static_cast<Job*>(prepared); }

// No working memory: all threads share the job.
int32_t CreateKernel(void* prepared, void** kernel, char*, size_t) {
  *kernel = prepared;
  return INTERNODE_OK;
}

void DestroyKernel(void*) {}

bool IsObservation(const Job& job, double value) {
  if (value < job.valid_min || value > job.valid_max) return false;
  for (const double missing : job.missing) {
    if (value == missing) return false;
  }
  return true;
}

void RunPixel(const Job& job, const int16_t* values,
              const internode_result& result) {
  Record record = {0, -std::numeric_limits<float>::infinity()};
  for (size_t i = 0; i < job.days.size(); ++i) {
    if (!IsObservation(job, values[i]) || values[i] <= record.value) continue;
    record = {static_cast<int32_t>(std::floor(job.days[i])),
              static_cast<float>(values[i])};
  }
  if (std::isinf(record.value)) {
    result.finish_pixel(result.context, INTERNODE_PIXEL_TOO_FEW_OBSERVATIONS);
    return;
  }
  result.add_record(result.context, &record, sizeof(record));
  result.finish_pixel(result.context, INTERNODE_PIXEL_OK);
}

int32_t RunBlock(void* kernel, const internode_block* block,
                 const internode_result* result, char* error,
                 size_t error_size) {
  return Guarded(
      [&]() -> int32_t {
        const Job& job = *static_cast<const Job*>(kernel);
        const internode_series_layout& band = block->series[0];
        if (band.count != static_cast<int64_t>(job.days.size())) {
          throw std::runtime_error("a block has another number of dates");
        }
        for (int64_t p = 0; p < block->num_pixels; ++p) {
          RunPixel(job,
                   reinterpret_cast<const int16_t*>(
                       block->data + p * block->pixel_stride + band.offset),
                   *result);
        }
        return INTERNODE_OK;
      },
      error, error_size);
}

constexpr const char* kGuesses[] = {"nir", nullptr};

constexpr internode_role kRoles[] = {
    {"band", "The band to look at.", 1, 0, 0, kGuesses}};

const internode_function_table kTable = {
    INTERNODE_FUNCTION_ABI_VERSION,
    sizeof(internode_function_table),
    "greenest",
    "1",
    "Date and value of a band's maximum.",
    "Status: ok; too_few_observations without an observation.",
    /*needs_time=*/1,
    /*reserved=*/0,
    /*parameters=*/nullptr,
    0,
    sizeof(internode_parameter),
    kRoles,
    1,
    sizeof(internode_role),
    Prepare,
    DestroyPrepared,
    CreateKernel,
    DestroyKernel,
    RunBlock};

}  // namespace

const internode_function_table* internode_function() { return &kTable; }
