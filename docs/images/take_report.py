"""Take the picture of the report that the README shows: ``python docs/images/take_report.py REPORT.html``.

It is the card of the lesion that can't be compared, of the demo study, without the table below its chart.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).with_name("report.png")
WIDTH, HEIGHT, MARGIN = 1200, 900, 12
VERDICT = "Not comparable"


def take(report: Path) -> bytes:
    """The card, as a reader sees it in a window."""
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        cards = page.locator("article.lesion")
        card = cards.filter(has=page.locator("header", has_text=VERDICT)).first
        card.evaluate("card => card.scrollIntoView({ block: 'start' })")
        page.wait_for_timeout(300)
        outer, table = card.bounding_box(), card.locator("details").first.bounding_box()
        if outer is None or table is None:
            raise SystemExit("the card is not on the page")
        area = {"x": 0, "y": outer["y"] - MARGIN, "width": WIDTH, "height": table["y"] - outer["y"] + MARGIN}
        taken = page.screenshot(clip=area)
        browser.close()
    return taken


if __name__ == "__main__":
    Image.open(io.BytesIO(take(Path(sys.argv[1])))).convert("RGB").save(PICTURE, optimize=True)
