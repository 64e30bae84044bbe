"""A run whose every text is hostile, in the real browser: no script runs, nothing is fetched, nothing leads anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="NO PLAYWRIGHT: pip install -e '.[app,dev]' -c constraints.txt")

from simulacra.community import Community, Sketch
from simulacra.designs import make_arm
from simulacra.experiment import Run, RunSpec, label_sets
from simulacra.people.population import grow
from simulacra.persona import Population
from simulacra.record.review import add_note
from simulacra.record.runs import RunFolder
from simulacra.scoring.semantic import topic_affinity
from simulacra.streams import Streams

from .conftest import App, Tab

EVIL = (
    "<script>alert(1)</script><img src=http://evil.test/a.png onerror=alert(2)>",
    "![x](http://evil.test/b.png) [click](http://evil.test/c) <http://evil.test/d> https://evil.test/e www.evil.test",
    '=HYPERLINK("http://evil.test/f","x") :material/home: :red[alarm] $\\href{http://evil.test/g}{x}$',
    "<a href='javascript:alert(3)'>x</a><iframe src=http://evil.test/h></iframe><svg onload=alert(4)>",
    "`</textarea><style>@import 'http://evil.test/i'</style>`\u202e\u0007 me@evil.test",
)


def test_hostile_text_stays_text_on_every_page(app: App, tab: Tab) -> None:
    run = hostile_run(app.folder / "runs")
    for path in pages_of(run):
        tab.open(path)
        tab.page.mouse.move(700, 450)
        harmless(tab, path)
    open_every_dialog(tab, run)
    harmless(tab, "dialogs")


def harmless(tab: Tab, where: str) -> None:
    assert tab.dialogs == [], f"{where}: a script ran"
    assert tab.leaks == [], f"{where}: {tab.leaks[:3]}"
    for selector in (
        "a[href*='evil']",
        "img[src*='evil']",
        "iframe[src*='evil']",
        "a[href^='javascript']",
        "a[href^='mailto']",
    ):
        assert tab.page.locator(selector).count() == 0, f"{where}: {selector}"


def pages_of(run: Run) -> list[str]:
    name = run.id
    return [
        "", f"run?run={name}", f"threads?run={name}", f"threads?run={name}&thread=0", f"threads?run={name}&member=1",
        f"threads?run={name}&ask=whatif&post=2", f"threads?run={name}&ask=multiverse&post=2", f"threads?run={name}&ask=interview&member=1",
        f"measures?run={name}", f"library?run={name}", f"design?like={name}", "compare", "compare?new=1",
        "threads?run=<img src=http://evil.test/q>", "design?community=![x](http://evil.test/r)",
    ]  # fmt: skip


def open_every_dialog(tab: Tab, run: Run) -> None:
    tab.open(f"threads?run={run.id}&thread=0")
    tab.page.locator("button.who").first.click()
    tab.page.get_by_role("dialog").wait_for()
    tab.settle()
    tab.page.keyboard.press("Escape")
    tab.page.locator("button.act").first.click()
    tab.page.get_by_role("dialog").wait_for()
    tab.settle()
    tab.page.keyboard.press("Escape")
    tab.open(f"measures?run={run.id}")
    for name in ("Emotion", "Contagion", "Taking part", "Moderation", "Network", "All measures"):
        tab.page.get_by_role("tab", name=name).click()
        tab.settle()
        tab.page.mouse.move(600, 600)


def hostile_run(runs_dir: Path) -> Run:
    """A finished run of two days in which community, members, posts, reasons and notes are hostile."""
    community = Community(
        "evil", EVIL[0], EVIL[1], (EVIL[1], EVIL[2]), (EVIL[0][:80], EVIL[3][:80]), (Sketch(EVIL[3], EVIL[0]), Sketch(EVIL[4])),
        moderation=("automod",),
    )  # fmt: skip
    spec = RunSpec(community, make_arm(community), 12, 2)
    near = topic_affinity(community, use_model=False)
    folder = RunFolder.create(runs_dir, "hostile", spec.cause(near), members(community, near), label_sets(spec))
    with folder:
        recorder = folder.recorder()
        for day in (-1, 0, 1, 2):
            record_day(recorder, day)
            recorder.close_day(day, {})
        folder.finish("finished")
    add_note(folder, 0, EVIL[0], [EVIL[1]], EVIL[2])
    add_note(folder, -1, EVIL[3], [EVIL[4]], EVIL[0])
    return Run(RunFolder(folder.path))


def members(community: Community, near: object) -> Population:
    from dataclasses import replace

    people = grow(community, 12, Streams(1), 2, 0.0, near)  # type: ignore[arg-type]
    handle, bio, work = people.handle.copy(), people.bio.copy(), people.work.copy()
    for i in range(len(people)):
        handle[i], bio[i], work[i] = f"{EVIL[i % 5]}{i}", EVIL[(i + 1) % 5], EVIL[(i + 2) % 5]
    return replace(people, handle=handle, bio=bio, work=work)


def record_day(recorder: object, day: int) -> None:
    """Six posts in one thread, each read by everybody, two of them removed."""
    from tests.sample_runs import events

    step, first = (day - 1) * 24 + 12, (day + 1) * 6
    posts = events("posts", day, 6) | {
        "id": list(range(first, first + 6)),
        "step": step,
        "author": [0, 1, 2, 3, 4, 5],
        "depth": list(range(6)),
        "root": first,
        "parent": [-1, *range(first, first + 5)],
        "text": [EVIL[i % 5] for i in range(6)],
        "topic": [0, 1, 0, 1, 0, 1],
        "toxicity": 0.7,
    }
    recorder.add("posts", **posts)  # type: ignore[attr-defined]
    for persona in range(6):
        recorder.add("visits", step=step, persona=[persona], slate=6, looked=6, wrote=True)  # type: ignore[attr-defined]
        recorder.add(  # type: ignore[attr-defined]
            "impressions",
            step=step,
            persona=[persona] * 6,
            post=list(range(first, first + 6)),
            position=list(range(6)),
            source=0,
        )
    rulings = events("rulings", day, 2) | {
        "step": step,
        "post": [first, first + 1],
        "action": 0,
        "policy": 0,
        "reason": list(EVIL[:2]),
        "rule": 1,
    }
    recorder.add("rulings", **rulings)  # type: ignore[attr-defined]
    moods = events("moods", day, 12) | {"persona": list(range(12)), "step": day * 24 - 1}
    recorder.add("moods", **moods)  # type: ignore[attr-defined]


def test_the_report_of_a_hostile_run_holds_no_markup_of_its_own(chromium: object, tmp_path: Path) -> None:
    from simulacra.views import report

    run = hostile_run(tmp_path / "runs")
    file = tmp_path / "report.html"
    file.write_text(report.of_run(run), encoding="utf-8")
    page = chromium.new_page()  # type: ignore[attr-defined]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert [address for address in asked if not address.startswith("file:")] == []
    assert page.locator("script, img, iframe, a").count() == 0
    assert json.dumps(EVIL[0])[1:20] in page.content() or "alert(1)" in page.inner_text("body")
    page.close()
