/* The interface of a pixel function in a shared library.
 *
 * A library exports one symbol,
 *
 *     const internode_function_table* internode_function(void);
 *
 * which returns a table that is valid as long as the library is loaded. The
 * table says what the function is called, which parameters and variables it
 * takes, and how to run it. A job goes through these calls:
 *
 *     prepare         once per job: parameters and inputs are known; declares
 *                     the fields of the records
 *     create_kernel   once per thread
 *     run_block       once per block of pixels, many times
 *     destroy_kernel, destroy_prepared
 *
 * Everything is C11, numbers are in the machine's byte order, strings are
 * UTF-8 that ends in a zero byte, and memory belongs to the side that made it:
 * what is passed to a call is valid during that call only, unless said
 * otherwise.
 *
 * A call that can fail returns INTERNODE_OK, or another INTERNODE_… code after
 * it wrote a message of one line, lower case, without a final period, to
 * `error`, at most `error_size` bytes with the final zero.
 *
 * Threads: all calls but those that take a kernel may come from several threads
 * at once, those that take one kernel never do. Calls must not exit the
 * process, and must not throw: a C++ function catches its exceptions.
 *
 * This header and its version are stable: a table of another
 * INTERNODE_FUNCTION_ABI_VERSION is refused. Within a version, structures grow
 * at their ends only; each that the library fills in carries its size, and each
 * that it receives may be larger than it knows. */

#ifndef INTERNODE_FUNCTIONS_INTERNODE_FUNCTION_H_
#define INTERNODE_FUNCTIONS_INTERNODE_FUNCTION_H_

#include <stddef.h>
#include <stdint.h>

/* The names are those of C: NOLINTBEGIN(readability-identifier-naming) */

#ifdef __cplusplus
extern "C" {
#endif

#define INTERNODE_FUNCTION_ABI_VERSION 1
#define INTERNODE_FUNCTION_SYMBOL "internode_function"

#if defined(__GNUC__)
#define INTERNODE_EXPORT __attribute__((visibility("default")))
#else
#define INTERNODE_EXPORT
#endif

/* What calls return. */
enum {
  INTERNODE_OK = 0,
  /* The user must change a parameter or the choice of variables. */
  INTERNODE_INVALID = 1,
  /* Anything else. */
  INTERNODE_FAILED = 2
};

/* Types of numbers in blocks and records. */
enum {
  INTERNODE_INT8 = 1,
  INTERNODE_INT16 = 2,
  INTERNODE_INT32 = 3,
  INTERNODE_INT64 = 4,
  INTERNODE_UINT8 = 5,
  INTERNODE_UINT16 = 6,
  INTERNODE_UINT32 = 7,
  INTERNODE_UINT64 = 8,
  INTERNODE_FLOAT32 = 9,
  INTERNODE_FLOAT64 = 10
};

/* Types of parameters. */
enum {
  INTERNODE_PARAMETER_BOOL = 0,
  INTERNODE_PARAMETER_INT = 1,
  INTERNODE_PARAMETER_FLOAT = 2,
  INTERNODE_PARAMETER_TEXT = 3,
  INTERNODE_PARAMETER_NUMBERS = 4, /* a list of floats */
  INTERNODE_PARAMETER_WORDS = 5    /* a list of texts */
};

/* What became of a pixel. A pixel fails through fail_pixel. */
enum {
  INTERNODE_PIXEL_OK = 1,
  INTERNODE_PIXEL_NO_SEGMENTS = 2,
  INTERNODE_PIXEL_TOO_FEW_OBSERVATIONS = 3
};

/* A parameter as the function declares it. */
typedef struct internode_parameter {
  const char* name;
  int32_t type; /* INTERNODE_PARAMETER_… */
  /* As a user writes it: "3", "0.5", "true", "a,b". */
  const char* default_value;
  /* One sentence, with the unit. */
  const char* help;
  /* Inclusive range of numbers; -INFINITY and INFINITY for none. */
  double min;
  double max;
  /* The words that text may be, and other names for the parameter: arrays that
   * end in NULL, or NULL. */
  const char* const* choices;
  const char* const* aliases;
} internode_parameter;

/* What the function takes variables for. */
typedef struct internode_role {
  const char* name;
  const char* help;
  /* 1 or 0: it must be filled. */
  int32_t required;
  /* 1 or 0: it takes any number of variables. At most one role is repeated. */
  int32_t repeated;
  /* 1 or 0: its values are codes, not measurements; --nodata does not apply. */
  int32_t codes;
  /* Names of variables to take when the user names none, in order of
   * preference: an array that ends in NULL, or NULL. */
  const char* const* guesses;
} internode_role;

/* The value of a parameter in a job: given by the user, or the default. */
typedef struct internode_parameter_value {
  const char* name;
  int32_t type;     /* INTERNODE_PARAMETER_… */
  int32_t is_given; /* 1: by the user */
  int64_t integer;  /* BOOL (0 or 1) and INT */
  double number;    /* FLOAT */
  const char* text; /* TEXT */
  /* NUMBERS and WORDS: arrays of `count`. */
  const double* numbers;
  const char* const* words;
  size_t count;
} internode_parameter_value;

/* One series of numbers that each pixel has: a variable, or one band of it. */
typedef struct internode_series {
  const char* role;
  /* What a column is named after: the variable's or the band's name. */
  const char* label;
  const char* variable;
  int64_t band; /* index along the band dimension, or -1 */
  int32_t type; /* INTERNODE_INT8 … INTERNODE_FLOAT64 */
  /* Packed values that mean "no data"; NaN is no data too. */
  const double* missing;
  size_t num_missing;
  /* Inclusive range of packed values that are observations; infinite: none. */
  double valid_min;
  double valid_max;
  /* physical = packed * scale_factor + add_offset. */
  double scale_factor;
  double add_offset;
  const char* units;
} internode_series;

/* All that is the same for every block of a job. */
typedef struct internode_inputs {
  size_t struct_size;
  /* In the order of the declaration. Element i of an array of structures is at
   * (const char*)array + i * element size. */
  const internode_parameter_value* parameters;
  size_t num_parameters;
  size_t parameter_size;
  /* Those of one role together, in the order of the roles. */
  const internode_series* series;
  size_t num_series;
  size_t series_size;
  /* Numbers per series and pixel. */
  int64_t count;
  /* Days since 1970-01-01, `count` of them, in file order: perhaps unsorted,
   * perhaps repeated. NULL when the job has no dates. */
  const double* days;
  /* CF name of their calendar. */
  const char* calendar;
} internode_inputs;

/* Declares the fields of a record, in order; records are packed without
 * padding. Both calls return INTERNODE_OK; what is wrong with a schema is
 * reported when prepare returns. */
typedef struct internode_schema {
  size_t struct_size;
  void* context;
  /* An axis of sub-array fields. */
  int32_t (*add_dimension)(void* context, const char* name,
                           const char* const* labels, size_t num_labels);
  /* A field over `dims` (row-major; none: a scalar). `fill`: the value that
   * means "none", or NULL. `units` and `long_name` may be NULL. */
  int32_t (*add_field)(void* context, const char* name, int32_t type,
                       const char* const* dims, size_t num_dims,
                       const double* fill, const char* units,
                       const char* long_name);
} internode_schema;

/* Where a series lies within a pixel. */
typedef struct internode_series_layout {
  int32_t type;
  int32_t reserved;
  int64_t offset; /* bytes from the start of the pixel */
  int64_t count;  /* numbers */
} internode_series_layout;

/* The data of some pixels: pixel p starts at data + p * pixel_stride; its
 * numbers are aligned to their size. */
typedef struct internode_block {
  size_t struct_size;
  int64_t num_pixels;
  int64_t pixel_stride;
  const unsigned char* data;
  const internode_series_layout* series;
  size_t num_series;
  /* The pixels' indices in the cube: dimension d runs from begin[d] over
   * size[d] indices; the last dimension is the fastest. */
  size_t num_dims;
  const int64_t* begin;
  const int64_t* size;
} internode_block;

/* Where a block's results go, pixel by pixel, in order: any number of
 * add_record, then one of finish_pixel and fail_pixel. The calls return
 * INTERNODE_OK, or INTERNODE_FAILED for what is against this order, or for a
 * record of another size: the block is then an error, whatever follows. */
typedef struct internode_result {
  size_t struct_size;
  void* context;
  /* Appends one record of `record_bytes` bytes to the current pixel. */
  int32_t (*add_record)(void* context, const void* record, size_t record_bytes);
  /* Ends the current pixel: INTERNODE_PIXEL_…. */
  int32_t (*finish_pixel)(void* context, int32_t status);
  /* Ends the current pixel as failed; its records are dropped. */
  int32_t (*fail_pixel)(void* context, const char* message);
} internode_result;

/* What a library exports. All pointers are required unless said otherwise. */
typedef struct internode_function_table {
  /* INTERNODE_FUNCTION_ABI_VERSION and sizeof(internode_function_table). */
  uint32_t abi_version;
  uint32_t struct_size;

  /* Letters, digits, '_', '-', '.'; a letter first. */
  const char* name;
  const char* version;
  const char* summary;     /* one line */
  const char* description; /* the formula, its source, the statuses; or NULL */
  /* 1: needs the dates of its observations; 0: does not. */
  int32_t needs_time;
  int32_t reserved;

  /* sizeof of one element is given, so that elements can grow. */
  const internode_parameter* parameters; /* NULL when there are none */
  size_t num_parameters;
  size_t parameter_size;
  const internode_role* roles; /* NULL when there are none */
  size_t num_roles;
  size_t role_size;

  /* Declares the schema and sets *prepared (NULL is allowed). On an error
   * destroy_prepared is not called. */
  int32_t (*prepare)(const internode_inputs* inputs,
                     const internode_schema* schema, void** prepared,
                     char* error, size_t error_size);
  void (*destroy_prepared)(void* prepared);

  /* Sets *kernel (NULL is allowed): one thread's working memory. On an error
   * destroy_kernel is not called. `prepared` outlives it. */
  int32_t (*create_kernel)(void* prepared, void** kernel, char* error,
                           size_t error_size);
  void (*destroy_kernel)(void* kernel);

  /* Finishes every pixel of `block` once, in order. A pixel that cannot be
   * handled is reported with fail_pixel; an error is one of the whole block. */
  int32_t (*run_block)(void* kernel, const internode_block* block,
                       const internode_result* result, char* error,
                       size_t error_size);
} internode_function_table;

/* What a library defines. */
INTERNODE_EXPORT const internode_function_table* internode_function(void);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(readability-identifier-naming) */

#endif /* INTERNODE_FUNCTIONS_INTERNODE_FUNCTION_H_ */
