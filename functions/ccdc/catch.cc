#include "functions/ccdc/catch.h"

namespace internode::functions::ccdc {

void CatchCurve(const Model& model, const DateTable& dates, int begin, int end,
                int32_t start_day, int32_t end_day, int32_t break_day,
                CurveQa quality, PixelState& state) {
  FitWindow(model, dates, begin, end, 4, state);
  Segment segment;
  segment.start_day = start_day;
  segment.end_day = end_day;
  segment.break_day = break_day;
  segment.observation_count = end - begin;
  segment.curve_qa = quality;
  state.segments.Add(model, dates, state.series, segment, state.curves,
                     nullptr);
}

}  // namespace internode::functions::ccdc
