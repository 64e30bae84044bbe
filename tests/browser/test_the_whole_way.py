"""What a designer does in the first hour, by mouse, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="NO PLAYWRIGHT: pip install -e '.[app,dev]' -c constraints.txt")

from simulacra.experiment import run

from .conftest import PATIENCE, App, Tab

SKETCHES = (
    "retired postman, 70, grows leeks, grumpy, short sentences",
    "nurse, 34, loves roses, cheerful, lots of exclamation marks",
    "student, 22, new to gardening, anxious, asks a lot",
)


def design_a_community(tab: Tab) -> None:
    tab.open()
    tab.press("New community")
    tab.fill("Name", "Allotment Neighbours")
    tab.fill("Goal", "Neighbours who garden on one allotment swap plants, tools and advice on soil and slugs.")
    tab.see("forbids insult")
    tab.press("Right", exact=False)
    tab.see("confirmed by the designer")
    for number, sketch in enumerate(SKETCHES, 1):
        if number > 1:
            tab.press("Add a sketch", exact=False)
        tab.fill(f"Sketch {number}", sketch)


def set_slider(tab: Tab, name: str, presses: int) -> None:
    """Move a slider by keys; negative goes left."""
    slider = tab.page.get_by_role("slider", name=name).first
    for _ in range(abs(presses)):
        slider.press("ArrowLeft" if presses < 0 else "ArrowRight")
    tab.settle()


def start(tab: Tab) -> None:
    tab.page.get_by_role("tab", name="Size and start").click()
    set_slider(tab, "Members at the beginning", -3)  # 500 -> 50 members
    set_slider(tab, "Simulated days", -1)
    tab.press("Start")


def test_a_community_from_nothing_is_played_read_noted_exported_deleted_and_imported(
    app: App, tab: Tab, tmp_path: Path
) -> None:
    design_a_community(tab)
    start(tab)
    tab.see("Day 2 of 2 finished")
    tab.page.get_by_text("finished", exact=True).first.wait_for()  # the page's own chip: its buttons stay as they are now
    tab.settle()
    tab.press("Read threads", exact=False)
    tab.page.locator("button.item").first.click()
    tab.page.locator(".post .text").first.wait_for()
    tab.page.locator("button.act").first.click()
    tab.page.get_by_role("textbox", name="What do you see?").fill("The postman is kinder than I thought.")
    tab.page.get_by_role("textbox", name="What do you see?").press("Control+Enter")
    tab.settle()
    tab.press("Keep the note")
    tab.see("1 note")

    tab.open("library?run=allotment-neighbours-1")
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name="Bundle (zip)").click()
    bundle = tmp_path / "bundle.zip"
    download.value.save_as(bundle)
    tab.press("Delete", exact=False)
    tab.see("Deleted: allotment")
    assert not (app.folder / "runs" / "allotment-neighbours-1").exists()

    tab.open("library?open=import")
    tab.page.locator("input[type=file]").set_input_files(bundle)
    tab.settle()
    tab.press("Import", exact=True)
    tab.see("The postman is kinder than I thought.")
    assert (app.folder / "runs" / "allotment-neighbours-1" / "review.jsonl").exists()
    assert tab.leaks == []


def test_a_file_that_was_loaded_leaves_the_form_free(app: App, tab: Tab, tmp_path: Path) -> None:
    file = tmp_path / "nurses.toml"
    file.write_text(
        'name = "Night Nurses"\ngoal = "Nurses swap night shifts."\nrules = []\n[[personas]]\nsketch = "nurse, 29, coffee"\n'
    )
    tab.open("design?start=blank")
    tab.press("Load a file", exact=False)
    tab.page.locator("input[type=file]").set_input_files(file)
    tab.press("Use this file")
    assert tab.page.get_by_role("textbox", name="Name", exact=True).first.input_value() == "Night Nurses"
    assert not tab.page.get_by_text("A community's TOML file").is_visible()


def test_a_deleted_run_comes_back_by_undo(app: App, tab: Tab) -> None:
    tab.open()  # unpacks the example
    name = next(path.name for path in (app.folder / "runs").iterdir() if path.name.startswith("example-baseline"))
    tab.open(f"library?run={name}")
    tab.press("Delete", exact=False)
    assert not (app.folder / "runs" / name).exists()
    tab.press("Undo", exact=False)
    assert (app.folder / "runs" / name / "run.json").exists()


def test_a_comparison_is_asked_played_and_read(app: App, tab: Tab) -> None:
    tab.open("compare?new=1")
    tab.page.locator("[data-testid=stMain]").get_by_role("button", name="Choose").first.click()
    tab.settle()
    tab.choose("Community", "local-politics")
    tab.see("What is the same")
    set_slider(tab, "Members", -2)
    set_slider(tab, "Days", -2)
    set_slider(tab, "Pairs of runs", -2)
    tab.press("Start the comparison", exact=False)
    tab.page.get_by_text("6 pairs of runs").first.wait_for(timeout=5 * PATIENCE)
    tab.page.get_by_role("heading", name="Limits").wait_for(timeout=5 * PATIENCE)
    tab.see("What must not get worse")
    tab.press("Read threads side by side", exact=False)
    tab.page.locator("button.item").first.click()
    tab.page.locator(".post .text").first.wait_for()
    tab.page.locator(".post.root").nth(1).wait_for()
    assert tab.leaks == []


def test_closing_the_browser_stops_nothing_and_a_pause_can_be_resumed(app: App, tab: Tab) -> None:
    design_a_community(tab)
    tab.page.get_by_role("tab", name="Size and start").click()
    set_slider(tab, "Members at the beginning", 2)  # 2,000: long enough to be paused
    set_slider(tab, "Simulated days", 20)
    tab.press("Start")
    tab.page.get_by_role("button", name="Pause").wait_for()
    tab.page.goto("about:blank")
    tab.open("run?run=allotment-neighbours-1")
    tab.page.get_by_role("button", name="Pause").click()
    tab.page.get_by_role("button", name="Resume").wait_for()
    tab.see("paused")
    tab.press("Resume", exact=False)
    tab.page.get_by_role("button", name="Pause").wait_for()
    tab.page.get_by_role("button", name="Pause").click()
    tab.page.get_by_role("button", name="Resume").wait_for()


def test_a_post_is_asked_what_if_and_rolled_again_and_its_author_interviewed(app: App, tab: Tab) -> None:
    run("pittsburgh", 60, 1, run_id="trip", runs_dir=app.folder / "runs")
    tab.open("threads?run=trip")
    tab.page.locator("button.item").first.click()
    tab.page.get_by_role("button", name="What if something else followed", exact=False).first.click()
    tab.see("Nothing asked yet")
    tab.settle()
    set_slider(tab, "Rolls of chance", -6)
    tab.page.get_by_role("textbox", name="A new person, in a line").fill("a sarcastic museum expert, 60")
    tab.page.get_by_role("textbox", name="A new person, in a line").press("Enter")
    tab.settle()
    tab.page.get_by_role("button", name="Play it", exact=False).click()
    tab.see("The thread in numbers")
    tab.see("With the change")
    tab.page.locator(".chip.put-in").wait_for()
    address = tab.page.url
    tab.page.get_by_role("button", name="Back to the thread").click()
    tab.page.get_by_role("button", name="Roll chance again", exact=False).first.click()
    tab.see("Nothing rolled yet")
    tab.settle()
    set_slider(tab, "Rolls of chance", -16)
    tab.page.get_by_role("button", name="Roll:", exact=False).click()
    tab.see("How the thread goes on, in every roll")
    tab.page.get_by_role("button", name="Back to the thread").click()
    tab.page.locator("button.who").first.click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Interview").click()
    tab.see("Nothing asked yet")
    tab.settle()
    tab.page.get_by_text("Who do you talk to?").first.click()
    tab.see("No model is asked")
    tab.page.goto(address)  # another tab or day finds the same answer
    tab.see("The thread in numbers")
    assert tab.leaks == []
