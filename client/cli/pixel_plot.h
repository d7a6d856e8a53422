#ifndef INTERNODE_CLIENT_CLI_PIXEL_PLOT_H_
#define INTERNODE_CLIENT_CLI_PIXEL_PLOT_H_

#include <string>

#include "client/cli/pixel_view.h"

namespace internode::cli {

// An SVG drawing: one panel per band over a common axis of time, with the
// observations (those that were not clear are pale), the curves, and a dashed
// line at each break. `observed` may be empty. The same input gives the same
// text.
std::string PixelPlot(const std::string& title, const PixelCurves& curves,
                      const ObservedPixel& observed);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_PIXEL_PLOT_H_
