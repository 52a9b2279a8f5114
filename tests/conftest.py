"""What tests in several folders share."""

from tests.browser import browser as browser
