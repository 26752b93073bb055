#!/usr/bin/env python3
"""Writes a plain CSV file of invented people, to measure imports with.

    python3 examples/rosters/large.py 200000 > people.csv
    python3 examples/rosters/large.py 200000 --married 1 > later.csv     1 in 100 has another last name
"""

import argparse
import csv
import sys

SYLLABLES = "ka lo mi ren sa tu vel dor an bel cor fen gar hol is".split()


def name(number, salt):
    parts = []
    number += salt
    for _ in range(3):
        parts.append(SYLLABLES[number % len(SYLLABLES)])
        number = number // len(SYLLABLES) + 7 * salt
    return "".join(parts).capitalize()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", type=int)
    parser.add_argument("--married", type=int, default=0, metavar="PERCENT")
    arguments = parser.parse_args()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["Student Number", "First Name", "Last Name", "Date of Birth", "School"])
    for number in range(arguments.people):
        family = name(number, 3)
        if number % 100 < arguments.married:
            family += "-Stone"
        born = f"{2006 + number % 12}-{1 + number % 12:02}-{1 + number % 28:02}"
        writer.writerow([f"{number:07}", name(number, 1), family, born, f"School {number % 200}"])


main()
