#ifndef INTERNODE_FUNCTIONS_CCDC_SERIES_H_
#define INTERNODE_FUNCTIONS_CCDC_SERIES_H_

#include <cassert>
#include <cstdint>
#include <vector>

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/model.h"
#include "functions/ccdc/row.h"

namespace internode::functions::ccdc {

// The kept observations of one pixel in ascending order of date. All windows
// of the algorithm are index ranges of it; dropping an observation lowers the
// indices of the later ones by one. Thread-compatible.
class Series {
 public:
  // Prepares for pixels of `dates`; allocates only if these are more than ever
  // before.
  void Reset(const Model& model, const DateTable& dates);

  int size() const { return size_; }
  // Observations before this may be looked at; see Drop().
  int reached() const { return reached_; }
  int groups() const { return groups_; }

  int32_t day(int i) const {
    assert(i < reached_);
    return day_[static_cast<size_t>(i)];
  }
  // Index in the DateTable.
  int32_t date(int i) const {
    assert(i < reached_);
    return date_[static_cast<size_t>(i)];
  }
  // The bands, `groups()` rows, less origin().
  const Row* row(int i) const {
    assert(i < reached_);
    return rows_.data() +
           static_cast<int64_t>(slot_[static_cast<size_t>(i)]) * groups_;
  }
  double value(int i, int band) const {
    return row(i)[band / kLanes].v[band % kLanes];
  }
  // What was subtracted from all values, `groups()` rows: a round number near
  // them, so that sums of squares lose few digits.
  const Row* origin() const { return origin_.data(); }

  const int32_t* days() const { return day_.data(); }
  const int32_t* dates() const { return date_.data(); }
  const int32_t* slots() const { return slot_.data(); }
  const Row* rows() const { return rows_.data(); }
  // The slot of each date of the table that was kept at first.
  const int32_t* slot_of_date() const { return slot_of_date_.data(); }

  // One byte per date of the table: 1 if the observation is kept.
  const std::vector<uint8_t>& mask() const { return mask_; }

  // Filling: candidates get slots 0, 1, ... and are written through
  // candidate_rows(); Keep() takes over those that pass, in ascending order.
  Row* candidate_rows() { return rows_.data(); }
  void Keep(int slot, int date, int32_t day);
  // Takes the origin from the values of the observations from `begin` on; the
  // first observation of all is the origin.
  void SubtractOrigin(int begin);

  // Drops observation i. The later ones stay where they are until Reach()
  // fetches them, so that dropping costs the same in a series of any length:
  // until then only observations before i may be looked at, or, if there was a
  // Drop() before, those that have been reached.
  void Drop(int i);
  // Makes the observations before `end` accessible.
  void Reach(int end);
  // Drops the observations whose byte is not 0; all others are reached. Not
  // after Drop().
  void DropAll(const std::vector<uint8_t>& drop);
  // How many observations were moved so far.
  int64_t moves() const { return moves_; }
  void ClearMask(const DateTable& dates);

 private:
  void Move(int from, int to);

  int size_ = 0;
  // Observations [0, reached_) are in their places, the others from rest_ on.
  int reached_ = 0;
  int rest_ = 0;
  int64_t moves_ = 0;
  int groups_ = 1;
  std::vector<int32_t> day_;
  std::vector<int32_t> date_;
  std::vector<int32_t> slot_;
  std::vector<int32_t> slot_of_date_;
  std::vector<Row> rows_;
  std::vector<Row> origin_;
  std::vector<uint8_t> mask_;
};

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_SERIES_H_
