# SPDX-License-Identifier: Apache-2.0
import pytest

import browser


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """One browser for all tests of a file."""
    opened = browser.Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


@pytest.fixture
def page(chromium):
    """The browser; afterwards nothing stands in its console, and it asked nobody for anything but its page."""
    chromium.complaints()
    chromium.requests()
    yield chromium
    assert chromium.complaints() == []
    outside = [url for url in chromium.requests()
               if not url.startswith(("file:", "data:", "blob:", "chrome:", "http://127.0.0.1:"))]
    assert outside == []
