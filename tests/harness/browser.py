"""Debian's Chromium without a window: what it makes of a page, and a picture of it."""

import subprocess
import tempfile

# Seconds that it may take to open a page, start included.
PATIENCE = 50

# No window, no sandbox (containers have none to give), and no conversation with anybody but the server under test.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]

# Blink's numbers for what a page learns from prefers-color-scheme.
SCHEMES = {"dark": 0, "light": 1}


def dom(url):
    """The document of the page after it was loaded, as HTML."""
    return chromium("--dump-dom", url).decode()


def screenshot(url, path, width, height, scheme):
    """Writes a PNG of a window of that size to `path`."""
    setting = f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}"
    chromium(f"--window-size={width},{height}", setting, f"--screenshot={path}", url)


def chromium(*arguments):
    with tempfile.TemporaryDirectory() as profile:
        command = ["chromium", *FLAGS, f"--user-data-dir={profile}", *arguments]
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    assert result.returncode == 0, f"{command}\n{result.stderr.decode(errors='replace')}"
    return result.stdout
