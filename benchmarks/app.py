"""How long until a page shows something? `python -m benchmarks.app` measures in a real Chromium and prints JSON.

Useful content is the element named in PAGES; a time ends when it is visible.

    first   the first page after the app started
    click   from a click in the navigation to the page, in one tab, each page seen once before
    open    from opening the address in a new tab: loading Streamlit's own code and connecting are in it
    floor   the same for an app of one line of text, under the same load of the machine

click and open are medians of three. Runs: 1,000 personas x 7 days, and with --large one of about 100,000 posts. Results are kept
in benchmarks/results/app.json with the machine and its load named.

`--screenshots FOLDER` writes a picture of each page at 1280x900 instead (`make screenshots`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from simulacra.experiment import run
from tests.browser.conftest import ARGUMENTS, CHROMIUM, App

RESULTS = Path(__file__).parent / "results" / "app.json"
PAGES = {
    "home": ("", "text=A finished example"),
    "design": ("design?community=pittsburgh", "text=Sketches of members"),
    "run": ("run?run=big", "text=Newest posts"),
    "threads": ("threads?run=big", "button.item"),
    "thread": ("threads?run=big&thread={root}", ".post .text"),
    "measures": ("measures?run=big", ".js-plotly-plot"),
    "compare": ("compare?experiment=example", ".sim-sentence"),
    "library": ("library?run=big", "text=Hand it on"),
}
"""Page -> its address and what counts as useful."""

CLICKED = {"library": "text=Choose a row", "compare": "text=What must not get worse"}
"""Where a page that is reached by its link alone shows something else first."""

REPEATS = 3


@contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        raise SystemExit("No Chromium here: install Debian's packages chromium and chromium-driver, or set CHROMIUM=/path.")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


def measure(chromium: Any, app: App, root: int) -> dict[str, Any]:
    """Seconds to the first page after the start, and to each page by click and by address."""
    first = round(seconds_to(chromium, app, *PAGES["home"]), 2)
    opened: dict[str, float] = {}
    for name, (address, useful) in PAGES.items():
        address = address.format(root=root)
        seconds_to(chromium, app, address, useful)
        opened[name] = median([seconds_to(chromium, app, address, useful) for _ in range(REPEATS)])
    return {"first": first, "click": clicked(chromium, app), "open": opened, "floor": floor(chromium)}


def clicked(chromium: Any, app: App) -> dict[str, float]:
    """Seconds from a click in the navigation to each page, in one tab, from whichever page came before."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(app.url)
    page.locator(PAGES["home"][1]).first.wait_for()
    names = [name for name in PAGES if name != "thread"]
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(REPEATS + 1):
        for name in names[1:] + names[:1]:
            started = perf_counter()
            page.get_by_role("link", name=name.capitalize(), exact=True).click()
            page.locator(CLICKED.get(name, PAGES[name][1])).first.wait_for(timeout=120_000)
            times[name].append(perf_counter() - started)
            page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.close()
    return {name: median(found[1:]) for name, found in times.items()}


def floor(chromium: Any) -> float:
    """Seconds to open an app that only says one line."""
    with tempfile.TemporaryDirectory() as place:
        script = Path(place) / "empty.py"
        script.write_text('import streamlit as st\nst.text("nothing else")\n')
        with App(Path(place), script) as app:
            seconds_to(chromium, app, "", "text=nothing else")
            return median([seconds_to(chromium, app, "", "text=nothing else") for _ in range(REPEATS)])


def median(seconds: list[float]) -> float:
    return round(statistics.median(seconds), 2)


def seconds_to(chromium: Any, app: App, address: str, useful: str) -> float:
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    started = perf_counter()
    page.goto(f"{app.url}/{address}")
    page.locator(useful).first.wait_for(timeout=120_000)
    took = perf_counter() - started
    page.close()
    return took


# -- pictures --------------------------------------------------------------------------------------------------------------


def picture(chromium: Any, app: App, folder: Path, root: int) -> None:
    """Each page as a designer sees it first, light; Compare and Threads in the dark theme too."""
    folder.mkdir(parents=True, exist_ok=True)
    shots = {**PAGES, "side-by-side": ("threads?run={variant}&thread={shared}&side=1", ".post .text"),
             "new-comparison": ("compare?new=1", "text=What are you deciding?")}  # fmt: skip
    names = {"root": root, **shared_thread(app)}
    for name, (address, useful) in shots.items():
        _picture(chromium, app, address.format(**names), useful, folder / f"{name}.png", "light")
    for name in ("compare", "thread"):
        address, useful = PAGES[name]
        _picture(chromium, app, address.format(**names), useful, folder / f"{name}-dark.png", "dark")


def shared_thread(app: App) -> dict[str, Any]:
    """The example's kept variant and a thread that both designs have."""
    from simulacra.experiment import open_run
    from simulacra.views import forum

    kept = {arm: next((app.folder / "runs").glob(f"example-{arm}-*")) for arm in ("baseline", "variant")}
    runs = {arm: open_run(path) for arm, path in kept.items()}
    return {"variant": runs["variant"].id, "shared": forum.shared_threads(runs["variant"], runs["baseline"])[0]}


def _picture(chromium: Any, app: App, address: str, useful: str, file: Path, scheme: str) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page.goto(f"{app.url}/{address}")
    page.locator(useful).first.wait_for(timeout=120_000)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_timeout(900)  # figures draw themselves after the script
    page.screenshot(path=file)
    page.close()
    print(file)


# -- command line ----------------------------------------------------------------------------------------------------------


def longest_thread(folder: Path) -> int:
    from simulacra.experiment import open_run
    from simulacra.reading import notable_threads

    return notable_threads(open_run(folder).frames, 1)[0]


def main(argv: Sequence[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--personas", type=int, default=1000)
    options.add_argument("--days", type=int, default=7)
    options.add_argument("--large", action="store_true", help="a run of about 100,000 posts")
    options.add_argument("--screenshots", type=Path, metavar="FOLDER")
    a = options.parse_args(argv)
    personas = 50_000 if a.large else a.personas
    with tempfile.TemporaryDirectory() as place:
        played = run("pittsburgh", personas, a.days, run_id="big", runs_dir=Path(place) / "runs")
        root, posts = longest_thread(played.path), played.counts["posts"]
        with App(Path(place)) as app, browser() as chromium:
            if a.screenshots:
                seconds_to(chromium, app, *PAGES["home"])  # unpacks the example
                picture(chromium, app, a.screenshots, root)
                return
            found = measure(chromium, app, root)
    result = {"personas": personas, "days": a.days, "posts": posts, **found, "machine": machine()}
    keep("large" if a.large else "small", result)
    print(json.dumps(result, indent=1))


def machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before"


def keep(name: str, result: dict[str, Any]) -> None:
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**known, name: result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
