#include "functions/roles.h"

#include <algorithm>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"
#include "core/iter_chunks.h"

namespace internode::functions {
namespace {

bool Contains(const std::vector<std::string>& names, absl::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool HasDimension(const core::VariableInfo& variable, absl::string_view name) {
  return std::any_of(
      variable.dims.begin(), variable.dims.end(),
      [name](const core::Dimension& dim) { return dim.name == name; });
}

std::string DimensionNames(const core::VariableInfo& variable) {
  return absl::StrJoin(variable.dims, ", ",
                       [](std::string* out, const core::Dimension& dim) {
                         absl::StrAppend(out, dim.name);
                       });
}

std::string DimensionSizes(const core::VariableInfo& variable) {
  return absl::StrJoin(variable.dims, ", ",
                       [](std::string* out, const core::Dimension& dim) {
                         absl::StrAppend(out, dim.name, "=", dim.size);
                       });
}

// Whether `name` is how a file may write `guess`: letters' case and the
// groups before the name are ignored.
bool Matches(absl::string_view name, absl::string_view guess) {
  const size_t slash = name.rfind('/');
  if (slash != absl::string_view::npos &&
      absl::EqualsIgnoreCase(name.substr(slash + 1), guess)) {
    return true;
  }
  return absl::EqualsIgnoreCase(name, guess);
}

bool MatchesAny(absl::string_view name, const RoleSpec& role) {
  return std::any_of(
      role.guesses.begin(), role.guesses.end(),
      [name](const std::string& guess) { return Matches(name, guess); });
}

// Fills the roles of one function from one cube.
class RoleFiller {
 public:
  RoleFiller(const FunctionInfo& function, const core::CubeInfo& cube,
             const std::vector<std::string>& core_dims)
      : function_(function),
        cube_(cube),
        core_dims_(core_dims),
        all_(ListSources(cube, core_dims)),
        left_empty_(function.roles.size(), false) {
    filled_.sources.resize(function.roles.size());
  }

  absl::StatusOr<FilledRoles> Fill(
      const std::vector<core::VariableChoice>& choices) {
    // Names the core dimensions that the cube lacks, or that are repeated.
    INTERNODE_ASSIGN_OR_RETURN(filled_.noncore_dims,
                               core::NoncoreDimensions(cube_.dims, core_dims_));
    for (const core::VariableChoice& choice : choices) {
      INTERNODE_RETURN_IF_ERROR(AddChoice(choice));
    }
    INTERNODE_RETURN_IF_ERROR(CheckNamed());
    FindReference();
    for (size_t r = 0; r < function_.roles.size(); ++r) Guess(r);
    for (size_t r = 0; r < function_.roles.size(); ++r) TakeAll(r);
    INTERNODE_RETURN_IF_ERROR(CheckRequired());
    TakeNoncoreDimensions();
    return std::move(filled_);
  }

 private:
  const core::VariableInfo& VariableOf(const SeriesSource& source) const {
    return cube_.variables[source.variable];
  }
  std::string FunctionText() const {
    return absl::StrCat("function '", function_.name, "'");
  }

  absl::StatusOr<size_t> RoleOf(const core::VariableChoice& choice) const;
  absl::Status AddChoice(const core::VariableChoice& choice);
  absl::StatusOr<std::vector<SeriesSource>> Resolve(
      absl::string_view name) const;
  absl::Status UnknownVariable(absl::string_view name) const;
  absl::Status CheckNamed();
  bool HasCoreDimensions(const core::VariableInfo& variable) const;
  bool SameDimensions(const core::VariableInfo& a,
                      const core::VariableInfo& b) const;
  void FindReference();
  bool IsTaken(const SeriesSource& source) const;
  bool IsEligible(const SeriesSource& source) const;
  void Guess(size_t r);
  void TakeAll(size_t r);
  absl::Status CheckRequired() const;
  void TakeNoncoreDimensions();

  const FunctionInfo& function_;
  const core::CubeInfo& cube_;
  const std::vector<std::string>& core_dims_;
  const std::vector<SeriesSource> all_;
  // Roles that the user asked to leave empty.
  std::vector<bool> left_empty_;
  // Over whose dimensions all others must be; null when no variable has the
  // core dimensions.
  const core::VariableInfo* reference_ = nullptr;
  FilledRoles filled_;
};

absl::StatusOr<size_t> RoleFiller::RoleOf(
    const core::VariableChoice& choice) const {
  std::vector<std::string> names;
  for (size_t r = 0; r < function_.roles.size(); ++r) {
    const RoleSpec& role = function_.roles[r];
    names.push_back(role.name);
    if (choice.role.empty() ? role.repeated : role.name == choice.role) {
      return r;
    }
  }
  if (!choice.role.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(FunctionText(), " has no role '", choice.role, "'; ",
                     WhatExists("it has", choice.role, names)));
  }
  for (size_t r = 0; r < function_.roles.size(); ++r) {
    const RoleSpec& role = function_.roles[r];
    if (Matches(choice.variable, role.name) ||
        MatchesAny(choice.variable, role)) {
      return r;
    }
  }
  if (names.size() == 1) return 0;
  return absl::InvalidArgumentError(absl::StrCat(
      "variable '", choice.variable, "' is named without a role; ",
      FunctionText(), " has ",
      names.empty() ? "none" : absl::StrJoin(names, ", "),
      names.empty() ? "" : absl::StrCat("; write ROLE=", choice.variable)));
}

absl::Status RoleFiller::AddChoice(const core::VariableChoice& choice) {
  INTERNODE_ASSIGN_OR_RETURN(const size_t r, RoleOf(choice));
  const RoleSpec& role = function_.roles[r];
  std::vector<SeriesSource>& sources = filled_.sources[r];
  if (choice.variable == "none") {
    if (role.required) {
      return absl::InvalidArgumentError(
          absl::StrCat(FunctionText(), " needs its role '", role.name,
                       "'; it cannot be none"));
    }
    if (!sources.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("role '", role.name, "' is given twice, as '",
                       sources[0].label, "' and 'none'"));
    }
    left_empty_[r] = true;
    return absl::OkStatus();
  }
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<SeriesSource> found,
                             Resolve(choice.variable));
  if (!role.repeated && found.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "variable '", choice.variable, "' has ", found.size(), " bands; role '",
        role.name, "' takes one, such as '", found[0].label, "'"));
  }
  if (left_empty_[r] || (!role.repeated && !sources.empty())) {
    return absl::InvalidArgumentError(
        absl::StrCat("role '", role.name, "' is given twice, as '",
                     left_empty_[r] ? "none" : sources[0].label, "' and '",
                     choice.variable, "'"));
  }
  for (const SeriesSource& source : found) {
    for (const SeriesSource& other : sources) {
      if (source.label == other.label) {
        return absl::InvalidArgumentError(
            absl::StrCat("variable '", source.label,
                         "' is given twice for role '", role.name, "'"));
      }
    }
    sources.push_back(source);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SeriesSource>> RoleFiller::Resolve(
    absl::string_view name) const {
  std::vector<SeriesSource> of_variable;
  std::vector<SeriesSource> of_band;
  for (const SeriesSource& source : all_) {
    const std::string& variable = VariableOf(source).name;
    if (variable == name) {
      of_variable.push_back(source);
    } else if (source.label == name || source.name == name ||
               name == absl::StrCat(variable, "[", source.name, "]") ||
               name == absl::StrCat(variable, "[", source.band, "]")) {
      of_band.push_back(source);
    }
  }
  if (!of_variable.empty()) return of_variable;
  if (of_band.empty()) return UnknownVariable(name);
  if (of_band.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", name, "' is a band of several variables; write '",
                     of_band[0].label, "' or '", of_band[1].label, "'"));
  }
  return of_band;
}

absl::Status RoleFiller::UnknownVariable(absl::string_view name) const {
  std::vector<std::string> names;
  for (const core::VariableInfo& variable : cube_.variables) {
    names.push_back(variable.name);
  }
  for (const SeriesSource& source : all_) {
    if (source.band >= 0) names.push_back(source.label);
  }
  std::string message = absl::StrCat("cube has no variable '", name, "'; ",
                                     WhatExists("it has", name, names));
  const core::CoordinateInfo* bands =
      cube_.band_dim.empty() ? nullptr : cube_.FindCoordinate(cube_.band_dim);
  if (bands != nullptr && !Contains(core_dims_, cube_.band_dim) &&
      Contains(bands->labels, name)) {
    absl::StrAppend(&message, "; '", name, "' is a label of dimension '",
                    cube_.band_dim, "', which is not a core dimension");
  }
  return absl::InvalidArgumentError(message);
}

bool RoleFiller::HasCoreDimensions(const core::VariableInfo& variable) const {
  return std::all_of(
      core_dims_.begin(), core_dims_.end(), [&](const std::string& dim) {
        return dim == cube_.band_dim || HasDimension(variable, dim);
      });
}

bool RoleFiller::SameDimensions(const core::VariableInfo& a,
                                const core::VariableInfo& b) const {
  const auto dims_of = [this](const core::VariableInfo& variable) {
    std::set<std::pair<std::string, int64_t>> dims;
    for (const core::Dimension& dim : variable.dims) {
      if (dim.name != cube_.band_dim) dims.emplace(dim.name, dim.size);
    }
    return dims;
  };
  return dims_of(a) == dims_of(b);
}

absl::Status RoleFiller::CheckNamed() {
  for (const std::vector<SeriesSource>& sources : filled_.sources) {
    for (const SeriesSource& source : sources) {
      const core::VariableInfo& variable = VariableOf(source);
      if (reference_ == nullptr) reference_ = &variable;
      for (const std::string& dim : core_dims_) {
        if (dim == cube_.band_dim || HasDimension(variable, dim)) continue;
        return absl::InvalidArgumentError(absl::StrCat(
            "variable '", variable.name, "' has no core dimension '", dim,
            "'; it has ",
            variable.dims.empty() ? "none" : DimensionNames(variable)));
      }
      if (!SameDimensions(*reference_, variable)) {
        return absl::InvalidArgumentError(absl::StrCat(
            "variables '", reference_->name, "' (", DimensionSizes(*reference_),
            ") and '", variable.name, "' (", DimensionSizes(variable),
            ") have unequal dimensions"));
      }
    }
  }
  return absl::OkStatus();
}

void RoleFiller::FindReference() {
  if (reference_ != nullptr) return;
  for (const core::VariableInfo& variable : cube_.variables) {
    if (!HasCoreDimensions(variable)) continue;
    if (reference_ == nullptr ||
        variable.dims.size() > reference_->dims.size()) {
      reference_ = &variable;
    }
  }
}

bool RoleFiller::IsTaken(const SeriesSource& source) const {
  for (const std::vector<SeriesSource>& sources : filled_.sources) {
    for (const SeriesSource& taken : sources) {
      if (taken.label == source.label) return true;
    }
  }
  return false;
}

bool RoleFiller::IsEligible(const SeriesSource& source) const {
  const core::VariableInfo& variable = VariableOf(source);
  return reference_ != nullptr && HasCoreDimensions(variable) &&
         SameDimensions(*reference_, variable) && !IsTaken(source);
}

void RoleFiller::Guess(size_t r) {
  const RoleSpec& role = function_.roles[r];
  if (role.repeated || left_empty_[r] || !filled_.sources[r].empty()) return;
  for (const std::string& guess : role.guesses) {
    for (const SeriesSource& source : all_) {
      if (!Matches(source.name, guess) || !IsEligible(source)) continue;
      filled_.sources[r].push_back(source);
      if (!role.required) {
        filled_.notes.push_back(absl::StrCat(
            role.name, ": ", source.label, " (guessed; --variables ", role.name,
            "=none to leave it out)"));
      } else if (!Matches(source.name, role.name)) {
        filled_.notes.push_back(absl::StrCat(
            role.name, ": ", source.label, " (guessed; --variables ", role.name,
            "=NAME to take another)"));
      }
      return;
    }
  }
}

void RoleFiller::TakeAll(size_t r) {
  const RoleSpec& role = function_.roles[r];
  if (!role.repeated || !role.takes_rest) return;
  if (left_empty_[r] || !filled_.sources[r].empty()) return;
  std::vector<std::string> labels;
  std::vector<std::string> left_out;
  for (const SeriesSource& source : all_) {
    if (!IsEligible(source)) continue;
    const bool guess_of_another =
        std::any_of(function_.roles.begin(), function_.roles.end(),
                    [&](const RoleSpec& other) {
                      return !other.repeated && MatchesAny(source.name, other);
                    });
    if (guess_of_another) {
      left_out.push_back(source.label);
      continue;
    }
    labels.push_back(source.label);
    filled_.sources[r].push_back(source);
  }
  if (labels.empty()) return;
  std::string note = absl::StrCat(role.name, ": ", absl::StrJoin(labels, ", "));
  if (!left_out.empty()) {
    absl::StrAppend(&note, " (without ", absl::StrJoin(left_out, ", "),
                    "; --variables names others)");
  }
  filled_.notes.push_back(std::move(note));
}

absl::Status RoleFiller::CheckRequired() const {
  for (size_t r = 0; r < function_.roles.size(); ++r) {
    const RoleSpec& role = function_.roles[r];
    if (!role.required || !filled_.sources[r].empty()) continue;
    std::vector<std::string> labels;
    for (const SeriesSource& source : all_) labels.push_back(source.label);
    return absl::InvalidArgumentError(
        absl::StrCat(FunctionText(), " needs a variable for its role '",
                     role.name, "', over ", absl::StrJoin(core_dims_, ", "),
                     "; ", WhatExists("the cube has", role.name, labels),
                     "; name one with --variables ", role.name, "=NAME"));
  }
  return absl::OkStatus();
}

void RoleFiller::TakeNoncoreDimensions() {
  // With a band dimension that is not core, variables may lack it: the order
  // is that of a variable that has all.
  const core::VariableInfo* widest = nullptr;
  for (const std::vector<SeriesSource>& sources : filled_.sources) {
    for (const SeriesSource& source : sources) {
      const core::VariableInfo& variable = VariableOf(source);
      const bool wider =
          widest == nullptr || (HasDimension(variable, cube_.band_dim) &&
                                !HasDimension(*widest, cube_.band_dim));
      if (wider) widest = &variable;
    }
  }
  if (widest == nullptr) widest = reference_;
  if (widest == nullptr) return;
  filled_.noncore_dims.clear();
  for (const core::Dimension& dim : widest->dims) {
    if (!Contains(core_dims_, dim.name)) filled_.noncore_dims.push_back(dim);
  }
}

}  // namespace

std::vector<SeriesSource> ListSources(
    const core::CubeInfo& cube, const std::vector<std::string>& core_dims) {
  const bool spread =
      !cube.band_dim.empty() && Contains(core_dims, cube.band_dim);
  const auto with_bands =
      std::count_if(cube.variables.begin(), cube.variables.end(),
                    [&](const core::VariableInfo& variable) {
                      return HasDimension(variable, cube.band_dim);
                    });
  const core::CoordinateInfo* bands = cube.FindCoordinate(cube.band_dim);
  std::vector<SeriesSource> sources;
  for (size_t v = 0; v < cube.variables.size(); ++v) {
    const core::VariableInfo& variable = cube.variables[v];
    if (!spread || !HasDimension(variable, cube.band_dim)) {
      sources.push_back({v, -1, variable.name, variable.name});
      continue;
    }
    const auto dim = std::find_if(
        variable.dims.begin(), variable.dims.end(),
        [&](const core::Dimension& d) { return d.name == cube.band_dim; });
    for (int64_t b = 0; b < dim->size; ++b) {
      const bool has_text = bands != nullptr &&
                            static_cast<size_t>(b) < bands->labels.size() &&
                            !bands->labels[static_cast<size_t>(b)].empty();
      const std::string name = has_text ? bands->labels[static_cast<size_t>(b)]
                                        : absl::StrCat("[", b, "]");
      std::string label = name;
      if (!has_text) {
        label = absl::StrCat(variable.name, name);
      } else if (with_bands > 1) {
        label = absl::StrCat(variable.name, "[", name, "]");
      }
      sources.push_back({v, b, name, label});
    }
  }
  return sources;
}

absl::StatusOr<FilledRoles> FillRoles(
    const FunctionInfo& function, const core::CubeInfo& cube,
    const std::vector<std::string>& core_dims,
    const std::vector<core::VariableChoice>& choices) {
  return RoleFiller(function, cube, core_dims).Fill(choices);
}

}  // namespace internode::functions
