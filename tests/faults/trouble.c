/* A pixel function for tests: sums of the observations, and trouble on one
 * pixel. The record says which pixel it is of, so that a result in the wrong
 * place shows. */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "functions/internode_function.h"

typedef struct {
  int64_t row;
  int64_t column;
  int64_t micros;
  char action[16];
  char path[1024];
} Trouble;

typedef struct {
  int64_t row;
  int64_t column;
  int64_t sum;
} __attribute__((packed)) Record;

static const internode_parameter_value* Parameter(
    const internode_inputs* inputs, const char* name) {
  for (size_t i = 0; i < inputs->num_parameters; ++i) {
    const internode_parameter_value* value =
        (const internode_parameter_value*)((const char*)inputs->parameters +
                                           i * inputs->parameter_size);
    if (strcmp(value->name, name) == 0) return value;
  }
  abort();
}

static int32_t Prepare(const internode_inputs* inputs,
                       const internode_schema* schema, void** prepared,
                       char* error, size_t error_size) {
  Trouble* trouble = calloc(1, sizeof(Trouble));
  if (trouble == NULL) {
    snprintf(error, error_size, "out of memory");
    return INTERNODE_FAILED;
  }
  trouble->row = Parameter(inputs, "row")->integer;
  trouble->column = Parameter(inputs, "column")->integer;
  trouble->micros = Parameter(inputs, "micros")->integer;
  snprintf(trouble->action, sizeof(trouble->action), "%s",
           Parameter(inputs, "action")->text);
  snprintf(trouble->path, sizeof(trouble->path), "%s",
           Parameter(inputs, "path")->text);
  static const char* const kFields[] = {"row", "column", "sum"};
  for (size_t f = 0; f < 3; ++f) {
    schema->add_field(schema->context, kFields[f], INTERNODE_INT64, NULL, 0,
                      NULL, "1", NULL);
  }
  *prepared = trouble;
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

/* Writes who we are to the FIFO at PATH.arrivals, and waits until the test,
 * which has the other end of the FIFO at PATH, closes it. */
static void WaitAtGate(const char* path) {
  char name[1100];
  snprintf(name, sizeof(name), "%s.arrivals", path);
  /* Fails when nobody listens any more. */
  const int arrivals = open(name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (arrivals >= 0) {
    dprintf(arrivals, "%d\n", (int)getpid());
    close(arrivals);
  }
  /* Not blocked by a gate that is opened between this and its finding. */
  const int gate = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (gate < 0) return;
  char byte;
  ssize_t got;
  /* 0: nobody has the other end. */
  while ((got = read(gate, &byte, 1)) != 0) {
    if (got < 0 && errno != EAGAIN && errno != EINTR) break;
    struct pollfd change = {.fd = gate, .events = POLLIN};
    poll(&change, 1, -1);
  }
  close(gate);
}

static void EatMemory(void) {
  for (;;) {
    const size_t bytes = (size_t)8 << 20;
    char* piece = malloc(bytes);
    if (piece == NULL) continue;
    memset(piece, 1, bytes);
  }
}

static void Act(const Trouble* trouble) {
  const char* action = trouble->action;
  if (strcmp(action, "segfault") == 0) {
    volatile int* volatile nowhere = NULL;
    *nowhere = 1;
  } else if (strcmp(action, "abort") == 0) {
    abort();
  } else if (strcmp(action, "exit") == 0) {
    _exit(7);
  } else if (strcmp(action, "hang") == 0) {
    for (;;) pause();
  } else if (strcmp(action, "allocate") == 0) {
    EatMemory();
  } else if (strcmp(action, "gate") == 0) {
    WaitAtGate(trouble->path);
  }
}

static int64_t Sum(const internode_block* block, const unsigned char* pixel) {
  int64_t sum = 0;
  for (size_t s = 0; s < block->num_series; ++s) {
    if (block->series[s].type != INTERNODE_INT16) continue;
    const int16_t* values = (const int16_t*)(pixel + block->series[s].offset);
    for (int64_t i = 0; i < block->series[s].count; ++i) sum += values[i];
  }
  return sum;
}

static void Dawdle(int64_t micros) {
  struct timespec left = {micros / 1000000, micros % 1000000 * 1000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

static int32_t RunBlock(void* kernel, const internode_block* block,
                        const internode_result* result, char* error,
                        size_t error_size) {
  const Trouble* trouble = kernel;
  (void)error;
  (void)error_size;
  const int64_t width = block->num_dims > 1 ? block->size[1] : 1;
  for (int64_t p = 0; p < block->num_pixels; ++p) {
    const int64_t row = block->begin[0] + p / width;
    const int64_t column =
        block->num_dims > 1 ? block->begin[1] + p % width : 0;
    if (trouble->micros > 0) Dawdle(trouble->micros);
    if (row == trouble->row && column == trouble->column) {
      if (strcmp(trouble->action, "fail") == 0) {
        result->fail_pixel(result->context, "as it was told");
        continue;
      }
      Act(trouble);
    }
    const Record record = {row, column,
                           Sum(block, block->data + p * block->pixel_stride)};
    result->add_record(result->context, &record, sizeof(record));
    result->finish_pixel(result->context, INTERNODE_PIXEL_OK);
  }
  return INTERNODE_OK;
}

static const char* const kActions[] = {"none",     "gate", "segfault",
                                       "abort",    "exit", "hang",
                                       "allocate", "fail", NULL};

static const internode_parameter kParameters[] = {
    {.name = "row",
     .type = INTERNODE_PARAMETER_INT,
     .default_value = "-1",
     .help = "Of the pixel that has trouble.",
     .min = -1,
     .max = 1e9},
    {.name = "column",
     .type = INTERNODE_PARAMETER_INT,
     .default_value = "-1",
     .help = "Of the pixel that has trouble.",
     .min = -1,
     .max = 1e9},
    {.name = "action",
     .type = INTERNODE_PARAMETER_TEXT,
     .default_value = "none",
     .help = "What happens there.",
     .choices = kActions},
    {.name = "path",
     .type = INTERNODE_PARAMETER_TEXT,
     .default_value = "-",
     .help = "Of the gate's FIFO."},
    {.name = "micros",
     .type = INTERNODE_PARAMETER_INT,
     .default_value = "0",
     .help = "How many microseconds each pixel takes longer.",
     .min = 0,
     .max = 1e9}};

static const internode_role kRoles[] = {{.name = "bands",
                                         .help = "What to sum.",
                                         .required = 0,
                                         .repeated = 1,
                                         .codes = 0,
                                         .guesses = NULL}};

static const internode_function_table kTable = {
    .abi_version = INTERNODE_FUNCTION_ABI_VERSION,
    .struct_size = sizeof(internode_function_table),
    .name = "trouble",
    .version = "1",
    .summary = "Sums, and trouble on one pixel.",
    .description = NULL,
    .needs_time = 0,
    .parameters = kParameters,
    .num_parameters = sizeof(kParameters) / sizeof(kParameters[0]),
    .parameter_size = sizeof(internode_parameter),
    .roles = kRoles,
    .num_roles = 1,
    .role_size = sizeof(internode_role),
    .prepare = Prepare,
    .destroy_prepared = free,
    .create_kernel = CreateKernel,
    .destroy_kernel = DestroyKernel,
    .run_block = RunBlock};

const internode_function_table* internode_function(void) { return &kTable; }
