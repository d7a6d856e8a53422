"""Decoding of CF time against cftime, on thousands of random cases."""

import math
import os
import random
import subprocess
import sys

import cftime

DUMP = os.path.join(os.environ["INTERNODE_BIN_DIR"], "cube_dump")
REAL = ("standard", "gregorian", "proleptic_gregorian", "julian")
OWN = ("noleap", "365_day", "all_leap", "366_day", "360_day")
SECONDS = {
    "days": 86400, "day": 86400, "d": 86400, "hours": 3600, "hr": 3600,
    "h": 3600, "minutes": 60, "min": 60, "seconds": 1, "secs": 1, "s": 1,
    "milliseconds": 1e-3, "msec": 1e-3, "microseconds": 1e-6,
}


def decode(lines):
    """What the project makes of lines of units;calendar;value."""
    out = subprocess.run([DUMP, "--cf-time"], input="\n".join(lines) + "\n",
                         stdout=subprocess.PIPE, check=True, text=True)
    return out.stdout.splitlines()


def days_of(date, calendar):
    """Days since 1970-01-01, exactly enough."""
    if calendar in REAL:
        ordinal = date.toordinal()
        epoch = cftime.datetime(
            1970, 1, 1, calendar="proleptic_gregorian").toordinal()
        day = ordinal - epoch
    else:
        epoch = cftime.datetime(1970, 1, 1, calendar=date.calendar,
                                has_year_zero=date.has_year_zero)
        day = (date.replace(hour=0, minute=0, second=0, microsecond=0)
               - epoch).days
    seconds = date.hour * 3600 + date.minute * 60 + date.second
    return day + (seconds + date.microsecond * 1e-6) / 86400


def random_reference(rng, calendar):
    while True:
        year = rng.choice([rng.randint(1, 3000), rng.randint(1500, 1700),
                           rng.randint(1900, 2030)])
        month, day = rng.randint(1, 12), rng.randint(1, 31)
        try:
            cftime.datetime(year, month, day, calendar=calendar)
        except ValueError:
            continue
        break
    text = rng.choice([f"{year:04d}-{month:02d}-{day:02d}",
                       f"{year}-{month}-{day}"])
    if rng.random() < 0.7:
        hour, minute = rng.randint(0, 23), rng.randint(0, 59)
        second = rng.randint(0, 59)
        text += rng.choice([
            f" {hour:02d}:{minute:02d}:{second:02d}",
            f"T{hour:02d}:{minute:02d}:{second:02d}",
            f" {hour}:{minute}:{second}",
            f" {hour:02d}:{minute:02d}",
            f" {hour:02d}:{minute:02d}:{second:02d}.25"])
        text += rng.choice(["", "", "Z", " +02:00", " -06:00", "+01:30"])
    return text


def random_case(rng):
    calendar = rng.choice(REAL + OWN)
    unit = rng.choice(list(SECONDS))
    span = rng.choice([40000, 400000]) * 86400
    value = rng.uniform(-span, span) / SECONDS[unit]
    # Values that are exact in microseconds, so that cftime does not round.
    value = round(value) if SECONDS[unit] < 1 else round(value * 4) / 4
    since = rng.choice(["since", "since", "Since"])
    return f"{unit} {since} {random_reference(rng, calendar)}", calendar, value


def main():
    rng = random.Random(20260101)
    cases, expected = [], []
    while len(cases) < 8000:
        units, calendar, value = random_case(rng)
        try:
            date = cftime.num2date(value, units.replace("Since", "since"),
                                   calendar, only_use_cftime_datetimes=True,
                                   only_use_python_datetimes=False)
            expected.append(days_of(date, calendar))
        except (ValueError, OverflowError):
            # Beyond the years that cftime has.
            continue
        cases.append((units, calendar, value))
    got = decode([f"{u};{c};{v!r}" for u, c, v in cases])
    assert len(got) == len(cases), (len(got), len(cases))
    bad = 0
    for case, text, want in zip(cases, got, expected):
        # A microsecond, which is what cftime resolves, and rounding.
        close = 1.2e-11 + 4 * math.ulp(want)
        if text.startswith("error") or abs(float(text) - want) > close:
            bad += 1
            if bad <= 20:
                print(case, "is", text, "and not", repr(want), file=sys.stderr)
    assert bad == 0, f"{bad} of {len(cases)} cases differ"
    by_calendar = {c: sum(case[1] == c for case in cases) for c in REAL + OWN}
    assert all(n > 500 for n in by_calendar.values()), by_calendar

    # The conventions' own example (section 4.4); cftime overlooks an offset
    # of one digit.
    units = "seconds since 1992-10-8 15:15:42.5 -6:00"
    want = 8316 + (21 * 3600 + 15 * 60 + 42.5) / 86400
    assert abs(float(decode([units + ";;0"])[0]) - want) < 1e-11

    refused = ["months since 2000-01-01", "years since 2000-01-01", "days",
               "", "days since", "days since yesterday", "since 2000-01-01",
               "fortnights since 2000-01-01", "days since 2000-13-01",
               "days since 2000-02-30", "days since 2000-01-01 25:00",
               "days since 2000-01-01 trailing", "m", "metres"]
    for units, text in zip(refused, decode([f"{u};standard;1" for u in refused])):
        assert text.startswith("error: "), (units, text)
    for calendar, units in [("standard", "days since 1582-10-10"),
                            ("standard", "days since 0000-01-01"),
                            ("noleap", "days since 2000-02-29"),
                            ("360_day", "days since 2000-01-31"),
                            ("lunar", "days since 2000-01-01")]:
        text = decode([f"{units};{calendar};1"])[0]
        assert text.startswith("error: "), (units, calendar, text)
    print(f"{len(cases)} cases equal")


main()
