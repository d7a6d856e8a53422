/* A function library of a version that does not exist yet. */
#include "functions/internode_function.h"

static const internode_function_table kTable = {
    .abi_version = INTERNODE_FUNCTION_ABI_VERSION + 1,
    .struct_size = sizeof(internode_function_table)};

const internode_function_table* internode_function(void) { return &kTable; }
