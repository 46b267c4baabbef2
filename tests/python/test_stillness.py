# SPDX-License-Identifier: Apache-2.0
"""In sync mode nothing can be said while nobody calls; afterwards the log says for how long."""
import re

import pytest

pytest.importorskip("torch")

from deepxtrace._mode import Stillness  # noqa: E402
from threads import make_all, on_all  # noqa: E402


def test_a_long_pause_is_told_once_in_ten_minutes():
    stillness, now = Stillness(), 1000.0
    for _ in range(100):
        assert stillness.call(now) == 0
        now += 0.01
    now += 30
    assert stillness.call(now) == pytest.approx(30.01)
    for pause in (40, 50, 0.01):
        now += pause
        assert stillness.call(now) == 0
    for _ in range(200):
        now += 4
        assert stillness.call(now) == 0
    now += 60
    assert stillness.call(now) == pytest.approx(60)


def test_steps_that_are_always_long_are_none():
    stillness, now, told = Stillness(), 0.0, 0
    for _ in range(200):
        told += stillness.call(now) > 0
        now += 30
    assert told <= 1


def test_the_log_says_so(tmp_path):
    made = make_all(2, log_path=str(tmp_path))
    on_all(made, lambda diagnosis: diagnosis.diagnose_ll_sync(1000))
    made[0]._ll.stillness._last -= 1000
    on_all(made, lambda diagnosis: diagnosis.diagnose_ll_sync(1000))
    for diagnosis in made:
        diagnosis.close()
    said = (tmp_path / "diagnose_rank0.log").read_text()
    assert len(re.findall(r"diagnose_ll_sync\(\) was not called for 1\d{3} s\.", said)) == 1
    assert not (tmp_path / "diagnose_rank1.log").exists()
