#!/usr/bin/env python3
"""Tests of the judge: a run proves nothing where it could not have failed."""

import pathlib
import tempfile
import unittest

from record import Record, verdicts


def record_of(*lines):
    with tempfile.NamedTemporaryFile("w", suffix=".record") as file:
        file.write("".join(line + "\n" for line in lines))
        file.flush()
        record = Record(pathlib.Path(file.name))
        record.read()
        return record


def names(record, found):
    return {what for what, which in verdicts(record, found).items() if which}


class Verdicts(unittest.TestCase):
    ACKNOWLEDGED = record_of("1000000 sent a ", "1000100 acknowledged a ")
    REFUSED = record_of("1000000 sent a ", "1000100 refused a no_primary no node")
    UNKNOWN = record_of("1000000 sent a ", "1000100 unknown a commit_unknown lost")
    UNFINISHED = record_of("1000000 sent a ")

    def test_once_what_was_acknowledged_is_right(self):
        self.assertEqual(names(self.ACKNOWLEDGED, {"a": 1}), set())

    def test_acknowledged_and_missing_is_lost(self):
        self.assertEqual(names(self.ACKNOWLEDGED, {}), {"lost"})

    def test_twice_is_doubled_whatever_was_said(self):
        for record in (self.ACKNOWLEDGED, self.UNKNOWN, self.UNFINISHED):
            self.assertEqual(names(record, {"a": 2}), {"doubled"})

    def test_refused_and_present_is_a_lie(self):
        self.assertEqual(names(self.REFUSED, {"a": 1}), {"applied although refused"})
        self.assertEqual(names(self.REFUSED, {}), set())

    def test_in_doubt_may_be_either(self):
        for record in (self.UNKNOWN, self.UNFINISHED):
            self.assertEqual(names(record, {}), set())
            self.assertEqual(names(record, {"a": 1}), set())

    def test_what_nobody_sent_is_seen(self):
        self.assertEqual(names(self.ACKNOWLEDGED, {"a": 1, "b": 1}), {"never sent"})


class Pauses(unittest.TestCase):
    RECORD = record_of(*(f"{second}000000 acknowledged x " for second in (1, 2, 5, 6, 16, 17)))

    def test_one_that_began_before_and_ends_after_the_interval_counts(self):
        self.assertEqual(self.RECORD.longest_pause(3, 4), 3)
        self.assertEqual(self.RECORD.longest_pause(1.5, 5.5), 3)

    def test_others_do_not(self):
        self.assertEqual(self.RECORD.longest_pause(1, 5.5), 3)
        self.assertEqual(self.RECORD.longest_pause(16.5, 16.6), 1)

    def test_first_write_after_a_moment(self):
        self.assertEqual(self.RECORD.first_acknowledged_after(6.5), 16)
        self.assertIsNone(self.RECORD.first_acknowledged_after(17))


class Reading(unittest.TestCase):
    def test_half_a_line_is_left_for_the_next_time(self):
        with tempfile.NamedTemporaryFile("wb", suffix=".record") as file:
            record = Record(file.name)
            file.write(b"1 sent a \n2 acknow")
            file.flush()
            self.assertEqual(record.read(), 0)
            file.write(b"ledged a \n")
            file.flush()
            self.assertEqual(record.read(), 1)
            self.assertEqual(record.writes, {"a": "acknowledged"})


if __name__ == "__main__":
    unittest.main()
