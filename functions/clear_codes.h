#ifndef INTERNODE_FUNCTIONS_CLEAR_CODES_H_
#define INTERNODE_FUNCTIONS_CLEAR_CODES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "functions/function.h"
#include "functions/parameter.h"

namespace internode::functions {

// Which values of a quality variable say that an observation is clear: one of
// some codes, or any of some bits.
struct ClearCodes {
  std::vector<double> codes;
  // Used instead of `codes` unless 0.
  int64_t any_of_bits = 0;

  bool IsClear(double value) const;
  // "codes 0, 1" or "bits 1, 2".
  std::string Text() const;

  friend bool operator==(const ClearCodes&, const ClearCodes&) = default;
};

// The parameters `clear` (codes) and `clear_bits` (bit numbers).
std::vector<ParameterSpec> ClearParameters();

// A role for a quality variable, optional, with the usual names as guesses.
RoleSpec QualityRole();

// What `parameters` say; or else what `quality` itself declares (CF attributes
// flag_meanings with flag_masks or flag_values: those of "clear" and "water");
// or else what its name is known to mean: QA_PIXEL, Landsat Collection 2: bits
// 6 and 7 (USGS LSDS-1619); pixel_qa, Landsat Collection 1 and ARD:
// bits 1 and 2 (USGS LSDS-1873); or else the codes 0 and 1 (clear
// and water of CFMask). Errors (kInvalidArgument): both parameters given.
absl::StatusOr<ClearCodes> ChooseClearCodes(const Parameters& parameters,
                                            const InputSeries& quality);

// Clears every entry of `valid` whose value in `quality` is not clear.
void KeepClear(const ClearCodes& clear, absl::Span<const double> quality,
               absl::Span<uint8_t> valid);

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_CLEAR_CODES_H_
