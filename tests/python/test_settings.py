# SPDX-License-Identifier: Apache-2.0
"""The environment of the diagnosis: what is documented, or one clear error."""
import itertools

import numpy as np
import pytest

from deepxtrace._settings import Settings

PREFIX = "DEEPEP_DIAGNOSE_"


def read(interval=20, **variables):
    return Settings.read(interval, {PREFIX + key: value for key, value in variables.items()})


def test_defaults():
    assert read() == Settings(True, 20.0, 20.0, 580, ".", False, 3.0, 3.0, 5.0, False,
                              None)
    assert read(interval=0.5).warming_time == 0.5


def test_everything_can_be_set():
    assert read(ENABLE="0", INTERVAL="7", WARMING_TIME="0", SYNC_STEP="10", LOG_PATH="/x y",
                LOG_DETAILS="1", THRESHOLD_COL="1.5", THRESHOLD_ROW="2", THRESHOLD_POINT="inf",
                EXCLUDING_ZEROS="1", MIN_SHARE="5%") == Settings(
        False, 7.0, 0.0, 10, "/x y", True, 1.5, 2.0, float("inf"), True, 0.05)


def test_the_environment_overrides_the_caller_and_empty_is_unset():
    assert read(interval=5, INTERVAL="0.25") .interval == 0.25
    assert read(interval=5, INTERVAL="", ENABLE=" ", LOG_PATH="") == read(interval=5)


@pytest.mark.parametrize("word, value", [("1", True), ("true", True), ("ON", True), ("yes", True),
                                         ("0", False), ("False", False), ("off", False),
                                         ("no", False)])
def test_switches(word, value):
    assert read(ENABLE=word).enable is value
    assert read(LOG_DETAILS=word).log_details is value


GOOD_OR_BAD = {"ENABLE": ("1", "2"), "INTERVAL": ("5", "0"), "SYNC_STEP": ("10", "ten"),
               "WARMING_TIME": ("0", "-1"), "THRESHOLD_COL": ("2", "nan"),
               "LOG_DETAILS": ("0", "maybe"), "MIN_SHARE": ("0.02", "2")}


def test_any_mix_is_the_documented_behaviour_or_one_error_that_names_all_at_fault():
    errors = 0
    for choice in itertools.product((0, 1), repeat=len(GOOD_OR_BAD)):
        mix = {name: values[bad] for (name, values), bad in zip(GOOD_OR_BAD.items(), choice)}
        bad = [name for name, is_bad in zip(GOOD_OR_BAD, choice) if is_bad]
        if not bad:
            assert read(**mix).sync_step == 10
            continue
        errors += 1
        with pytest.raises(ValueError) as caught:
            read(**mix)
        for name in GOOD_OR_BAD:
            assert (f"{PREFIX}{name}={mix[name]!r}" in str(caught.value)) == (name in bad)
    assert errors == 127


def test_numbers_of_numpy_are_numbers():
    assert read(interval=np.int64(5)).interval == read(interval=np.float32(5)).interval == 5


@pytest.mark.parametrize("interval", [0, -1, float("nan"), float("inf"), "20", None, True, 1e9])
def test_intervals_of_the_caller(interval):
    with pytest.raises(ValueError, match="interval="):
        read(interval=interval)


@pytest.mark.parametrize("name, value", [("INTERVAL", "1e9"), ("INTERVAL", "nan"),
                                         ("INTERVAL", "fast"), ("SYNC_STEP", "0"),
                                         ("SYNC_STEP", "1.5"), ("THRESHOLD_POINT", "0"),
                                         ("THRESHOLD_ROW", "-3"), ("EXCLUDING_ZEROS", "x")])
def test_values_that_make_no_sense(name, value):
    with pytest.raises(ValueError, match=PREFIX + name):
        read(**{name: value})
