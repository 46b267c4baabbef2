# SPDX-License-Identifier: Apache-2.0
"""run.py FILE: pytest, or 77 where there is no browser."""
import sys

import pytest

import browser

if browser.missing():
    print("not installed: %s" % browser.missing())
    sys.exit(77)
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
