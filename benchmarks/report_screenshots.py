"""Pictures of a report in a real browser, for a critical look: screen, narrow, print.

    python benchmarks/report_screenshots.py REPORT_FOLDER [FOLDER]

Needs Chromium on the path.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SCREENS = {"light": (1200, 1600, 1), "dark": (1200, 1600, 0), "narrow": (500, 1600, 1)}


def main() -> None:
    page = Path(sys.argv[1], "report.html").resolve(strict=True)
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else page.parent).resolve()
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        sys.exit("Chromium is not on the path")
    with tempfile.TemporaryDirectory() as profile:
        usual = [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={profile}",
        ]

        def run(*arguments: str) -> None:
            subprocess.run([*usual, *arguments, page.as_uri()], check=True, capture_output=True)

        for name, (width, height, scheme) in SCREENS.items():
            path = folder / f"report-{name}.png"
            run(
                f"--screenshot={path}",
                f"--window-size={width},{height}",
                f"--blink-settings=preferredColorScheme={scheme}",
                "--hide-scrollbars",
            )
            print(path)
        path = folder / "report.pdf"
        run(f"--print-to-pdf={path}", "--no-pdf-header-footer")
        print(path)


if __name__ == "__main__":
    main()
