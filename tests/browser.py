"""A real browser for tests: Chromium without a window, driven by Playwright; without one such tests are skipped, and say why."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def _chromium(own: str) -> str | None:
    """A browser of the system, or the one that Playwright has fetched; GRADCALC_CHROMIUM names another."""
    asked = os.environ.get("GRADCALC_CHROMIUM")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return asked or found or (own if Path(own).exists() else None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests of a module. (Playwright keeps an event loop running, which tests in other modules may not stand.)"""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    with playwright.sync_playwright() as driver:
        path = _chromium(driver.chromium.executable_path)
        if path is None:
            pytest.skip("there is no Chromium: install it (apt install chromium), or run: playwright install chromium")
        browser = driver.chromium.launch(executable_path=path)
        yield browser
        browser.close()


def script(browser: Browser, source: str) -> Any:
    """What a script's last expression comes to, on an empty page; NaN and infinities arrive as floats."""
    page = browser.new_page()
    try:
        return page.evaluate(source)
    finally:
        page.close()
