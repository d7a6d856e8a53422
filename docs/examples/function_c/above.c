/* A pixel function in C: which share of a pixel's observations lies above a
 * threshold, per band. One record per pixel. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internode/internode_function.h"

/* One job. Also every kernel of it: there is no working memory, so that
 * threads can share it. */
typedef struct {
  double threshold;
  size_t num_bands;
  internode_series* bands;
  double** missing;
} Above;

static int32_t Fail(int32_t code, const char* message, char* error,
                    size_t error_size) {
  snprintf(error, error_size, "%s", message);
  return code;
}

static void Destroy(void* prepared) {
  Above* above = prepared;
  if (above == NULL) return;
  for (size_t b = 0; above->missing != NULL && b < above->num_bands; ++b) {
    free(above->missing[b]);
  }
  free(above->missing);
  free(above->bands);
  free(above);
}

/* What is passed to prepare is gone afterwards: keep copies. */
static int CopyBands(const internode_inputs* inputs, Above* above) {
  above->num_bands = inputs->num_series;
  above->bands = calloc(inputs->num_series, sizeof(internode_series));
  above->missing = calloc(inputs->num_series, sizeof(double*));
  if (above->bands == NULL || above->missing == NULL) return 0;
  for (size_t b = 0; b < inputs->num_series; ++b) {
    const internode_series* series =
        (const internode_series*)((const char*)inputs->series +
                                  b * inputs->series_size);
    const size_t bytes = series->num_missing * sizeof(double);
    above->bands[b] = *series;
    above->missing[b] = malloc(bytes > 0 ? bytes : 1);
    if (above->missing[b] == NULL) return 0;
    if (bytes > 0) memcpy(above->missing[b], series->missing, bytes);
  }
  return 1;
}

static void DeclareRecord(const internode_inputs* inputs, const Above* above,
                          const internode_schema* schema, const char** labels) {
  static const char* const band[] = {"band"};
  (void)inputs;
  for (size_t b = 0; b < above->num_bands; ++b) {
    labels[b] = above->bands[b].label;
  }
  schema->add_dimension(schema->context, "band", labels, above->num_bands);
  schema->add_field(schema->context, "above", INTERNODE_FLOAT64, band, 1, NULL,
                    "1", "share of observations above the threshold");
}

static int32_t Prepare(const internode_inputs* inputs,
                       const internode_schema* schema, void** prepared,
                       char* error, size_t error_size) {
  Above* above = calloc(1, sizeof(Above));
  const char** labels = calloc(inputs->num_series + 1, sizeof(char*));
  if (above == NULL || labels == NULL || !CopyBands(inputs, above)) {
    Destroy(above);
    free(labels);
    return Fail(INTERNODE_FAILED, "out of memory", error, error_size);
  }
  above->threshold = inputs->parameters[0].number;
  DeclareRecord(inputs, above, schema, labels);
  free(labels);
  *prepared = above;
  return INTERNODE_OK;
}

static int32_t CreateKernel(void* prepared, void** kernel, char* error,
                            size_t error_size) {
  (void)error;
  (void)error_size;
  *kernel = prepared;
  return INTERNODE_OK;
}

static void DestroyKernel(void* kernel) { (void)kernel; }

/* Number i of a series, whatever its type. */
static double Number(const unsigned char* data, int32_t type, int64_t i) {
  switch (type) {
    case INTERNODE_INT8:
      return ((const int8_t*)data)[i];
    case INTERNODE_INT16:
      return ((const int16_t*)data)[i];
    case INTERNODE_INT32:
      return ((const int32_t*)data)[i];
    case INTERNODE_INT64:
      return (double)((const int64_t*)data)[i];
    case INTERNODE_UINT8:
      return data[i];
    case INTERNODE_UINT16:
      return ((const uint16_t*)data)[i];
    case INTERNODE_UINT32:
      return ((const uint32_t*)data)[i];
    case INTERNODE_UINT64:
      return (double)((const uint64_t*)data)[i];
    case INTERNODE_FLOAT32:
      return ((const float*)data)[i];
    default:
      return ((const double*)data)[i];
  }
}

static int IsObservation(const Above* above, size_t b, double value) {
  const internode_series* band = &above->bands[b];
  if (!isfinite(value) || value < band->valid_min || value > band->valid_max) {
    return 0;
  }
  for (size_t i = 0; i < band->num_missing; ++i) {
    if (value == above->missing[b][i]) return 0;
  }
  return 1;
}

/* The share above the threshold, or NaN without an observation. */
static double Share(const Above* above, size_t b, const unsigned char* data,
                    const internode_series_layout* layout) {
  int64_t n = 0;
  int64_t over = 0;
  for (int64_t i = 0; i < layout->count; ++i) {
    const double value = Number(data, layout->type, i);
    if (!IsObservation(above, b, value)) continue;
    ++n;
    if (value > above->threshold) ++over;
  }
  return n > 0 ? (double)over / (double)n : NAN;
}

static int32_t RunBlock(void* kernel, const internode_block* block,
                        const internode_result* result, char* error,
                        size_t error_size) {
  const Above* above = kernel;
  const size_t bytes = above->num_bands * sizeof(double);
  double* record = malloc(bytes > 0 ? bytes : 1);
  if (record == NULL) {
    return Fail(INTERNODE_FAILED, "out of memory", error, error_size);
  }
  for (int64_t p = 0; p < block->num_pixels; ++p) {
    const unsigned char* pixel = block->data + p * block->pixel_stride;
    int any = 0;
    for (size_t b = 0; b < above->num_bands; ++b) {
      record[b] =
          Share(above, b, pixel + block->series[b].offset, &block->series[b]);
      any = any || !isnan(record[b]);
    }
    result->add_record(result->context, record, bytes);
    result->finish_pixel(
        result->context,
        any ? INTERNODE_PIXEL_OK : INTERNODE_PIXEL_TOO_FEW_OBSERVATIONS);
  }
  free(record);
  return INTERNODE_OK;
}

static const internode_parameter kParameters[] = {
    {.name = "threshold",
     .type = INTERNODE_PARAMETER_FLOAT,
     .default_value = "0",
     .help = "In the file's packed units.",
     .min = -1e30,
     .max = 1e30,
     .choices = NULL,
     .aliases = NULL}};

static const internode_role kRoles[] = {{.name = "bands",
                                         .help = "The variables to look at.",
                                         .required = 1,
                                         .repeated = 1,
                                         .codes = 0,
                                         .guesses = NULL}};

static const internode_function_table kTable = {
    .abi_version = INTERNODE_FUNCTION_ABI_VERSION,
    .struct_size = sizeof(internode_function_table),
    .name = "above",
    .version = "1",
    .summary = "Share of the observations above a threshold.",
    .description = "Status: ok; too_few_observations without an observation.",
    .needs_time = 0,
    .parameters = kParameters,
    .num_parameters = 1,
    .parameter_size = sizeof(internode_parameter),
    .roles = kRoles,
    .num_roles = 1,
    .role_size = sizeof(internode_role),
    .prepare = Prepare,
    .destroy_prepared = Destroy,
    .create_kernel = CreateKernel,
    .destroy_kernel = DestroyKernel,
    .run_block = RunBlock};

const internode_function_table* internode_function(void) { return &kTable; }
