"""How long until a page shows something? `python -m benchmarks.app` measures in a real Chromium and prints JSON.

Useful content is the element named in PAGES; a time ends when it is visible.

    first   the first page after the app started
    click   from a click in the navigation to the page, in one tab, each page seen once before
    open    from opening the address in a new tab: loading Streamlit's own code and connecting are in it
    floor   the same for an app of one line of text, under the same load of the machine
    tabs    the tabs of Measures over a large pair, each the first time that anybody looks at it

click and open are medians of three. Runs: 1,000 personas x 7 days; with --large 50,000 personas x 7 days, a comparison of 20,000
personas x 7 days with two seeds, all records kept, and a run in which one thread draws thousands of posts. Results are kept in
benchmarks/results/app.json with the machine and its load named.

`--screenshots FOLDER` writes a picture of each page at 1280x900 instead (`make screenshots`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from simulacra.experiment import run
from simulacra.replicates import compare
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

CLICKED = {"library": "text=Choose a row", "compare": "text=What would change this"}
"""Where a page that is reached by its link alone shows something else first."""

PAIR = {
    "compare of the pair": ("compare?experiment=pair", "text=What would change this"),
    "measures of the pair": ("measures?run=pair-variant-1", ".js-plotly-plot"),
    "threads of the pair": ("threads?run=pair-variant-1&side=1", "button.item"),
    "long thread": ("threads?run=crowded&thread={long}", ".post .text"),
    "post in it": ("threads?run=crowded&post={last}", ".post.asked"),
}
"""Pages of a large comparison and of one very long thread, beside those of PAGES."""

CROWDED = {"write": 0.8, "parent_crowd": 3.0}
"""Behaviour under which one thread draws thousands of posts."""

TABS = ("Emotion", "Taking part", "Moderation", "Network", "All measures")
REPEATS = 3
_STILL = "[data-testid=stApp][data-test-script-state=notRunning]"


@contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        raise SystemExit("No Chromium here: install Debian's packages chromium and chromium-driver, or set CHROMIUM=/path.")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


def measure(chromium: Any, app: App, names: dict[str, int], pair: bool) -> dict[str, Any]:
    """Seconds to the first page after the start, and to each page by click and by address. names: posts that addresses name. pair: also
    to the pages of PAIR."""
    first = round(seconds_to(chromium, app, *PAGES["home"]), 2)
    opened: dict[str, float] = {}
    for name, (address, useful) in {**PAGES, **(PAIR if pair else {})}.items():
        address = address.format(**names)
        seconds_to(chromium, app, address, useful)
        opened[name] = median([seconds_to(chromium, app, address, useful) for _ in range(REPEATS)])
    tabs = {"tabs": tabs_of(chromium, app, "pair-variant-1")} if pair else {}
    return {"first": first, "click": clicked(chromium, app), "open": opened, **tabs, "floor": floor(chromium)}


def tabs_of(chromium: Any, app: App, run_id: str) -> dict[str, float]:
    """Seconds from a click on each tab of Measures to its end, the first time that anybody looks at it."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{app.url}/measures?run={run_id}")
    page.locator(".js-plotly-plot").first.wait_for(timeout=120_000)
    times = {}
    for name in TABS:
        page.wait_for_selector(_STILL)
        started = perf_counter()
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(100)
        page.wait_for_selector(_STILL, timeout=120_000)
        times[name.lower()] = round(perf_counter() - started, 2)
    page.close()
    return times


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
            page.wait_for_selector(_STILL)
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
    names = {"root": root, "member": opener(app, root), **shared_thread(app)}
    for name, (address, useful) in shots.items():
        _picture(chromium, app, address.format(**names), useful, folder / f"{name}.png", "light")
    for name in ("compare", "thread"):
        address, useful = PAGES[name]
        _picture(chromium, app, address.format(**names), useful, folder / f"{name}-dark.png", "dark")
    for name, ask in QUESTIONS.items():
        _asked(chromium, app, f"threads?run=big&ask={name}&post={root}&member={names['member']}", ask, folder / f"{name}.png")


def opener(app: App, root: int) -> int:
    """Who opened a thread of the large run."""
    from simulacra.experiment import open_run

    posts = open_run(app.folder / "runs" / "big").posts
    return int(posts.loc[posts["id"] == root, "author"].iloc[0])


def _what_if(page: Any) -> None:
    person = page.get_by_role("textbox", name="A new person, in a line")
    person.fill("a sarcastic museum expert, 60")
    person.press("Enter")
    _still(page)
    page.get_by_role("button", name="Play it", exact=False).click()
    page.locator(".chip.put-in").first.wait_for(timeout=240_000)


def _multiverse(page: Any) -> None:
    page.get_by_role("button", name="Roll:", exact=False).click()
    page.get_by_text("How the thread goes on, in every roll").wait_for(timeout=240_000)


def _interview(page: Any) -> None:
    for question in ("How do you feel about this place?", "Who do you talk to?"):
        page.get_by_text(question).first.click()
        _still(page)
    page.get_by_text("What it rests on").first.wait_for(timeout=240_000)
    page.get_by_text("Beginning").first.wait_for(state="hidden", timeout=240_000)


QUESTIONS: dict[str, Callable[[Any], None]] = {"whatif": _what_if, "multiverse": _multiverse, "interview": _interview}
"""What is asked of a post or its author -> how it is asked by mouse, until its answer stands on the page."""


def _asked(chromium: Any, app: App, address: str, ask: Callable[[Any], None], file: Path) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{app.url}/{address}")
    _still(page)
    ask(page)
    _shot(page, file)


def _still(page: Any) -> None:
    """Until the script has run to its end and figures have drawn themselves."""
    page.wait_for_timeout(300)
    page.wait_for_selector(_STILL)
    page.wait_for_timeout(900)


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
    _shot(page, file)


def _shot(page: Any, file: Path) -> None:
    _still(page)
    page.screenshot(path=file)
    page.close()
    print(file)


# -- command line ----------------------------------------------------------------------------------------------------------


def longest_thread(folder: Path) -> int:
    from simulacra.experiment import open_run
    from simulacra.reading import notable_threads

    return notable_threads(open_run(folder).frames, 1)[0]


def crowded(runs: Path) -> dict[str, int]:
    """The opening post, the last post and the size of the longest thread of a run in which one thread draws most of what is written."""
    posts = run("pittsburgh", 50_000, 3, feed="engagement", behaviour=CROWDED, run_id="crowded", runs_dir=runs).posts
    long = int(posts["root"].value_counts().index[0])
    inside = posts.loc[posts["root"] == long, "id"]
    return {"long": long, "last": int(inside.max()), "posts": len(inside)}


def main(argv: Sequence[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--personas", type=int, default=1000)
    options.add_argument("--days", type=int, default=7)
    options.add_argument(
        "--large", action="store_true", help="runs of 50,000 and 20,000 members, and a thread of thousands of posts"
    )
    options.add_argument("--screenshots", type=Path, metavar="FOLDER")
    a = options.parse_args(argv)
    personas = 50_000 if a.large else a.personas
    with tempfile.TemporaryDirectory() as place:
        played = run("pittsburgh", personas, a.days, run_id="big", runs_dir=Path(place) / "runs")
        root, posts = longest_thread(played.path), played.counts["posts"]
        if a.large:
            compare("pittsburgh", "feed=hot", "feed=engagement moderation=automod+human_review", 20_000, a.days, 2,
                    runs_dir=Path(place) / "runs", experiment_id="pair", keep="all")  # fmt: skip
        crowd = crowded(Path(place) / "runs") if a.large else {}
        with App(Path(place)) as app, browser() as chromium:
            if a.screenshots:
                seconds_to(chromium, app, *PAGES["home"])  # unpacks the example
                picture(chromium, app, a.screenshots, root)
                return
            found = measure(chromium, app, {"root": root, **crowd}, a.large)
    result = {"personas": personas, "days": a.days, "posts": posts, **found, "machine": machine()}
    result |= {"long_thread": crowd["posts"]} if crowd else {}
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
