#!/usr/bin/python3
"""How well `internode run ccdc` finds the breaks of simulated cubes.

    tools/ccdc_accuracy.py --internode build/release/bin/internode \\
        --svg docs/images/ccdc-accuracy.svg

prints the tables of docs/ccdc.md, which says what is counted how, and
draws its plot. Nothing is random: the same program gives the same numbers.
"""

import argparse
import dataclasses
import os
import pathlib
import subprocess
import tempfile

import h5py
import numpy as np

DETECTION_BANDS = ("green", "red", "nir", "swir1", "swir2")
YEAR = 365.2425
# Days between a true break and a found one that are taken for the same.
TOLERANCE = 60
# What CCDC needs to be able to find a break: observations that confirm it
# behind; before, a window of 12 and those that the window is checked against.
LEAST_AFTER = 6
LEAST_BEFORE = 18
LEAST_DAYS_BEFORE = 365
# Lower edges of the classes of size; the last one has no upper edge.
EDGES = (0, 2, 3, 4, 5, 6, 8, 12, 16, 24)
# Parts of the way to another land cover that changes go.
CHANGE_SIZES = (1, 0.5, 0.25, 0.12, 0.06)
NO_DAY = -2**31


@dataclasses.dataclass
class Tally:
    """Breaks of one class of size."""
    true: int = 0  # judged
    missed: int = 0
    found: int = 0
    late: int = 0  # found, but more than the tolerance after a true one
    baseless: int = 0  # found where nothing had changed before

    @property
    def omission(self):
        return self.missed / self.true if self.true else float("nan")

    @property
    def false(self):
        return self.late + self.baseless

    @property
    def commission(self):
        return self.false / self.found if self.found else float("nan")


def add_counts(to, other):
    for field in dataclasses.fields(to):
        if field.type is int:
            setattr(to, field.name,
                    getattr(to, field.name) + getattr(other, field.name))


@dataclasses.dataclass
class Accuracy:
    """What came of one cube, or of several."""
    pixels: int = 0
    unchanged: int = 0  # pixels without a true break
    unchanged_but_found: int = 0
    unjudged: int = 0  # true breaks
    unjudged_found: int = 0  # within the tolerance of the first sight of them
    at_first_sight: int = 0  # matched on the very first observation
    classes: list = dataclasses.field(
        default_factory=lambda: [Tally() for _ in EDGES])
    delays: list = dataclasses.field(default_factory=list)

    def add(self, other):
        add_counts(self, other)
        for mine, theirs in zip(self.classes, other.classes):
            add_counts(mine, theirs)
        self.delays += other.delays

    def total(self, least=0.0, below=float("inf")):
        """The classes from the lower edge `least` to that of `below`."""
        result = Tally()
        for edge, tally in zip(EDGES, self.classes):
            if least <= edge < below:
                add_counts(result, tally)
        return result


@dataclasses.dataclass
class TrueBreak:
    day: int
    first_seen: int  # day of the first usable observation from then on
    size: float
    judged: bool

    def distance(self, found_day):
        """Days to a found break; infinite if that is another one."""
        latest = self.day if self.judged else self.first_seen
        if self.day - TOLERANCE <= found_day <= latest + TOLERANCE:
            return abs(found_day - self.day)
        return float("inf")


def class_of(size):
    return int(np.searchsorted(EDGES, size, side="right")) - 1


def root_mean_square(x):
    return float(np.sqrt(np.mean(np.square(x))))


def noise_of(days, values):
    """Standard deviation round a curve, by band; values(time, band)."""
    w = 2 * np.pi / YEAR
    columns = np.column_stack(
        [np.ones(len(days)), (days - days.mean()) / 1000] +
        [f(k * w * days) for k in (1, 2) for f in (np.cos, np.sin)])
    solution = np.linalg.lstsq(columns, values, rcond=None)[0]
    residuals = values - columns @ solution
    return np.sqrt((residuals**2).sum(axis=0) /
                   (len(days) - columns.shape[1]))


class Cube:
    """The series and the truth of a simulated cube of layout variables."""

    def __init__(self, path):
        with h5py.File(path) as file:
            self.days = file["time"][...].astype(np.int64)
            self.bands = np.stack(
                [file[b][...] for b in DETECTION_BANDS], axis=-1)
            self.clear = file["cfmask"][...] <= 1
            self.count = file["true_break_count"][...]
            self.break_days = file["true_break_date"][...].astype(np.int64)
            # Blue comes before the detection bands, thermal behind.
            self.magnitudes = file["true_break_magnitude"][..., 1:6]

    def true_breaks(self, y, x):
        count = int(self.count[y, x])
        if count == 0:
            return []
        values = self.bands[:, y, x]
        usable = (self.clear[:, y, x] & (values > 0).all(axis=1) &
                  (values < 10000).all(axis=1))
        days = self.days[usable]
        values = values[usable].astype(float)
        edges = [-2**40, *map(int, self.break_days[y, x, :count]), 2**40]
        return [self.true_break(days, values, edges[i:i + 3],
                                self.magnitudes[y, x, i])
                for i in range(count)]

    @staticmethod
    def true_break(days, values, edges, magnitude):
        start, day, end = edges
        before = (days >= start) & (days < day)
        after = days[(days >= day) & (days < end)]
        first_seen = int(after[0]) if len(after) else day
        own = days[before]
        enough = len(own) >= LEAST_BEFORE
        judged = (enough and own[-1] - own[0] >= LEAST_DAYS_BEFORE and
                  len(after) >= LEAST_AFTER and
                  first_seen - day <= TOLERANCE)
        size = 0.0
        if enough:
            size = root_mean_square(magnitude / noise_of(own, values[before]))
        return TrueBreak(day, first_seen, size, bool(judged))


def found_breaks(path):
    """{(y, x): [(day, size), ...]} of a segment file."""
    with h5py.File(path) as file:
        bands = [b.decode() if isinstance(b, bytes) else b
                 for b in file["band"][...]]
        chosen = [bands.index(b) for b in DETECTION_BANDS]
        t_break = file["t_break"][...]
        py, px = file["py"][...], file["px"][...]
        magnitude = file["magnitude"][...][:, chosen]
        rmse = file["rmse"][...][:, chosen]
    found = {}
    for s in np.flatnonzero(t_break != NO_DAY):
        found.setdefault((int(py[s]), int(px[s])), []).append(
            (int(t_break[s]), root_mean_square(magnitude[s] / rmse[s])))
    return found


def match(true, found_days):
    """For each true break the index of the found one that is it, or -1.

    Nearest pairs first; each break is in one pair at most.
    """
    pairs = sorted((t.distance(day), i, j) for i, t in enumerate(true)
                   for j, day in enumerate(found_days)
                   if t.distance(day) < float("inf"))
    matched = [-1] * len(true)
    for _, i, j in pairs:
        if matched[i] < 0 and j not in matched:
            matched[i] = j
    return matched


def judge_pixel(true, found, accuracy):
    matched = match(true, [day for day, _ in found])
    accuracy.pixels += 1
    accuracy.unchanged += not true
    accuracy.unchanged_but_found += bool(found and not true)
    for t, j in zip(true, matched):
        if not t.judged:
            accuracy.unjudged += 1
            accuracy.unjudged_found += j >= 0
            continue
        tally = accuracy.classes[class_of(t.size)]
        tally.true += 1
        tally.missed += j < 0
        if j >= 0:
            accuracy.delays.append(found[j][0] - t.day)
            accuracy.at_first_sight += found[j][0] == t.first_seen
    # Days of true breaks for which no break was found within the tolerance.
    open_days = [t.day for t, j in zip(true, matched) if j < 0]
    for j, (day, size) in enumerate(found):
        if j in matched and not true[matched.index(j)].judged:
            continue
        tally = accuracy.classes[class_of(size)]
        tally.found += 1
        if j in matched:
            continue
        # Late, if the change before it is one that was missed.
        previous = max((t.day for t in true if t.day <= day), default=None)
        late = previous in open_days
        tally.late += late
        tally.baseless += not late
        if late:
            open_days.remove(previous)


def judge(cube_path, segments_path):
    """The accuracy of the breaks of a segment file, given the cube's truth."""
    cube = Cube(cube_path)
    found = found_breaks(segments_path)
    accuracy = Accuracy()
    for y, x in np.ndindex(cube.count.shape):
        judge_pixel(cube.true_breaks(y, x), found.get((y, x), []), accuracy)
    return accuracy


def run(program, *args):
    environment = {k: v for k, v in os.environ.items()
                   if not k.startswith("INTERNODE_")}
    done = subprocess.run([str(program), *map(str, args)], text=True,
                          capture_output=True, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"internode {args[0]}: {done.stderr}")


def measure(program, folder, simulate_options, run_options=()):
    """Simulates a cube in `folder`, runs CCDC over it, and judges that."""
    cube = pathlib.Path(folder) / "cube.nc"
    segments = pathlib.Path(folder) / "segments.nc"
    run(program, "simulate", cube, "--overwrite", "--deflate", "1",
        *simulate_options)
    run(program, "run", "ccdc", cube, "-o", segments, "--overwrite",
        *run_options)
    return judge(cube, segments)


def class_name(i):
    if i + 1 == len(EDGES):
        return f"{EDGES[i]} and more"
    return f"{EDGES[i]} to {EDGES[i + 1]}"


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else ""


def print_table(accuracy):
    rows = [(class_name(i), t) for i, t in enumerate(accuracy.classes)]
    rows.append(("all", accuracy.total()))
    print("| size | true breaks | missed | omission | found breaks | late "
          "| baseless | commission |")
    print("|---|---|---|---|---|---|---|---|")
    for name, t in rows:
        print(f"| {name} | {t.true} | {t.missed} "
              f"| {percent(t.missed, t.true)} | {t.found} | {t.late} "
              f"| {t.baseless} | {percent(t.false, t.found)} |")


def print_facts(accuracy):
    for name, part in (("3 to 6", accuracy.total(3, 6)),
                       ("6 and more", accuracy.total(6))):
        print(f"\nsize {name}: omission {percent(part.missed, part.true)}, "
              f"commission {percent(part.false, part.found)}")
    days = np.percentile(accuracy.delays, [5, 50, 95])
    print(f"\npixels {accuracy.pixels}, without a break {accuracy.unchanged}, "
          f"found there nevertheless {accuracy.unchanged_but_found}; "
          f"breaks not judged {accuracy.unjudged}, of them found "
          f"{accuracy.unjudged_found}; on the first observation "
          f"{percent(accuracy.at_first_sight, len(accuracy.delays))}; days "
          f"late: median {days[1]:.0f}, 5 % to 95 % {days[0]:.0f} to "
          f"{days[2]:.0f}\n")


BARS = (("omission", "#b2452f"), ("commission", "#2f6db2"))
LEFT, TOP, WIDTH, HEIGHT, STEP = 56, 40, 600, 240, 60


def svg_axis():
    parts = []
    for value in range(0, 101, 20):
        y = TOP + HEIGHT * (1 - value / 100)
        parts.append(f'<path d="M{LEFT} {y:g}h{WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:g}" '
                     f'text-anchor="end">{value} %</text>')
    bottom = TOP + HEIGHT
    for i, edge in enumerate(EDGES):
        x = LEFT + i * STEP
        parts.append(f'<path d="M{x} {bottom}v6" stroke="#444"/>')
        parts.append(f'<text x="{x}" y="{bottom + 20}" '
                     f'text-anchor="middle">{edge}</text>')
    parts.append(f'<path d="M{LEFT} {bottom}h{WIDTH}" stroke="#444"/>')
    parts.append(f'<text x="{LEFT + WIDTH / 2:g}" y="{bottom + 42}" '
                 'text-anchor="middle">size of the change: root mean square '
                 'over the detection bands, in units of noise</text>')
    return parts


def svg_bar(i, side, name, share):
    x = LEFT + i * STEP + 6 + 24 * side
    height = HEIGHT * share
    top = TOP + HEIGHT - height
    colour = dict(BARS)[name]
    return [f'<rect x="{x}" y="{top:.1f}" width="24" height="{height:.1f}" '
            f'fill="{colour}"><title>{name}, {class_name(i)}: '
            f'{100 * share:.1f} %</title></rect>',
            f'<text x="{x + 12}" y="{top - 4:.1f}" text-anchor="middle" '
            f'font-size="9">{100 * share:.0f}</text>']


def svg(accuracy):
    """The plot of omission and commission by size."""
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 340" '
             'font-family="sans-serif" font-size="12">',
             "<title>Omission and commission of breaks by size</title>",
             '<rect width="680" height="340" fill="#fff"/>', *svg_axis()]
    for side, (name, colour) in enumerate(BARS):
        parts.append(f'<rect x="{LEFT + 330 + 130 * side}" y="12" width="12" '
                     f'height="12" fill="{colour}"/>')
        parts.append(f'<text x="{LEFT + 348 + 130 * side}" y="22">{name}'
                     "</text>")
        for i, tally in enumerate(accuracy.classes):
            share = getattr(tally, name)
            if share == share:
                parts += svg_bar(i, side, name, share)
    return "\n".join([*parts, "</svg>\n"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--internode", required=True)
    parser.add_argument("--svg", help="the plot to write")
    parser.add_argument("--size", type=int, default=70,
                        help="rows and columns of each cube")
    parser.add_argument("--dates", type=int, default=400)
    parser.add_argument("--param", action="append", default=[],
                        help="of CCDC, as KEY=VALUE")
    arguments = parser.parse_args()
    params = [word for p in arguments.param for word in ("--param", p)]
    accuracy = Accuracy()
    with tempfile.TemporaryDirectory() as folder:
        for seed, part in enumerate(CHANGE_SIZES, start=1):
            n = arguments.size
            accuracy.add(measure(
                arguments.internode, folder,
                ["--size", f"y={n},x={n}", "--dates", arguments.dates,
                 "--seed", seed, "--change-size", part], params))
    print_table(accuracy)
    print_facts(accuracy)
    if arguments.svg:
        pathlib.Path(arguments.svg).write_text(svg(accuracy))


if __name__ == "__main__":
    main()
