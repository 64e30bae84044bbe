"""Every page by keyboard alone, and at the two widths that designers have: what can be pressed is reached, named and seen."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="NO PLAYWRIGHT: pip install -e '.[app,dev]' -c constraints.txt")

from simulacra.experiment import run
from simulacra.views import forum

from .conftest import App, Tab

PAGES = (
    "", "design?community=pittsburgh", "run?run=example-variant-{seed}", "threads?run=example-variant-{seed}",
    "threads?run=example-variant-{seed}&side=1&thread={root}", "measures?run=example-variant-{seed}", "compare?experiment=example",
    "compare?new=1", "library?run=example-variant-{seed}",
    "threads?run=example-variant-{seed}&ask=whatif&post={root}", "threads?run=example-variant-{seed}&ask=multiverse&post={root}",
    "threads?run=example-variant-{seed}&ask=interview&member=0",
)  # fmt: skip
SMALLEST = 11.0
"""Pixels: the least size of words."""

_FOCUSED = """async compare => {
  const drawn = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
  await drawn()
  let found = document.activeElement
  while (found && found.shadowRoot && found.shadowRoot.activeElement) found = found.shadowRoot.activeElement
  if (!found || found === document.body) return null
  // The page itself scrolls by the arrow keys; the canvas of a table draws its own focus.
  if (['MAIN', 'CANVAS'].includes(found.tagName)) return {label: 'the page', seen: true, kept: found.tagName === 'CANVAS'}
  const box = found.getBoundingClientRect()
  const near = [found, ...found.children]  // a field shows its focus on a frame around it
  for (let part = found; part.parentElement && near.length < found.children.length + 7; part = part.parentElement) {
    near.push(part.parentElement)
  }
  const look = () => near.map(part => {
    const style = getComputedStyle(part)
    return [style.outlineStyle, style.outlineWidth, style.boxShadow, style.borderColor, style.backgroundColor, style.color].join()
  }).join()
  const told = look()
  if (compare) { found.blur(); await drawn() }  // the next press of the tab key goes on from here all the same
  const label = found.getAttribute('aria-label') || found.getAttribute('title') || found.innerText
    || [...(found.labels || [])].map(part => part.innerText).join(' ')
    || (found.getAttribute('aria-labelledby') || '').split(' ').map(id => document.getElementById(id)?.innerText || '').join(' ')
    || found.getAttribute('placeholder') || found.querySelector('img, svg, canvas')?.getAttribute('aria-label') || ''
  return {tag: found.tagName.toLowerCase(), role: found.getAttribute('role') || '', label: label.trim(), seen: !compare || told !== look(),
          wide: box.width, high: box.height, kept: found.matches('[data-testid=stMain] *')}
}"""

_NAMELESS = """() => {
  const found = []
  const walk = root => {
    for (const part of root.querySelectorAll('*')) {
      if (part.shadowRoot) walk(part.shadowRoot)
      if (!part.matches('button, input, textarea, select, a[href], [role=button], [role=slider], [role=combobox], [role=tab]')) continue
      if (!part.checkVisibility({checkVisibilityCSS: true}) || part.type === 'hidden' || part.closest('[aria-hidden=true]')) continue
      const id = part.getAttribute('aria-labelledby')
      const named = part.getAttribute('aria-label') || part.innerText?.trim() || part.getAttribute('title')
        || (id && document.getElementById(id.split(' ')[0])) || (part.labels && part.labels.length)
      if (!named) found.push(part.outerHTML.slice(0, 160))
    }
  }
  walk(document)
  return found
}"""

_TINY = """smallest => {
  const found = []
  const walk = root => {
    const words = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
    for (let node = words.nextNode(); node; node = words.nextNode()) {
      const part = node.parentElement
      if (!part || !node.textContent.trim() || !part.getClientRects().length || part.closest('svg, style, script, .katex')) continue
      const size = parseFloat(getComputedStyle(part).fontSize)
      if (size < smallest) found.push(`${size} px: ${node.textContent.trim().slice(0, 40)}`)
    }
    for (const part of root.querySelectorAll('*')) if (part.shadowRoot) walk(part.shadowRoot)
  }
  walk(document.body)
  return found
}"""


@pytest.fixture
def addresses(app: App, tab: Tab) -> list[str]:
    """Every page over the example, which the first one unpacks."""
    tab.open()
    seed = next(path.name for path in (app.folder / "runs").glob("example-variant-*")).rsplit("-", 1)[1]
    tab.open(f"threads?run=example-variant-{seed}&side=1")
    tab.page.locator("button.item").first.click()
    tab.page.locator(".post .text").first.wait_for()
    root = tab.page.url.split("thread=")[1].split("&")[0]
    return [address.format(seed=seed, root=root) for address in PAGES]


@pytest.mark.parametrize("width, height", [(1280, 900), (1920, 1080)])
def test_no_page_is_wider_than_its_window_and_no_words_are_tiny(
    addresses: list[str], tab: Tab, width: int, height: int
) -> None:
    tab.page.set_viewport_size({"width": width, "height": height})
    for address in addresses:
        tab.open(address)
        for place in ("document.scrollingElement", "document.querySelector('[data-testid=stMain]')"):
            over = tab.page.evaluate(f"{place}.scrollWidth - {place}.clientWidth")
            assert over <= 1, f"{address}: {over} px too wide"
        assert tab.page.evaluate(_TINY, SMALLEST) == [], address


def test_everything_that_can_be_pressed_has_a_name(addresses: list[str], tab: Tab) -> None:
    for address in addresses:
        tab.open(address)
        assert tab.page.evaluate(_NAMELESS) == [], address


def test_what_has_the_focus_is_seen_and_named(addresses: list[str], tab: Tab) -> None:
    for address in addresses:
        tab.open(address)
        stops = _tabbed(tab.page, 30)
        assert any(stop["kept"] for stop in stops), f"{address}: the tab key does not reach the page"
        assert [stop for stop in stops if not stop["label"]] == [], f"{address}: nameless"
        assert [stop for stop in stops if not stop["seen"]] == [], f"{address}: the focus is not seen"


def _tabbed(page: Any, most: int) -> list[dict[str, Any]]:
    """What has the focus after each press of the tab key, from the top of the page; until it leaves the page."""
    page.add_style_tag(content="* {transition: none !important}")  # so that a look is final at once
    stops: list[dict[str, Any]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate(_FOCUSED, True)
        if found is None:
            break
        stops.append(found)
    return stops


def _tab_to(tab: Tab, name: str, most: int = 60) -> None:
    for _ in range(most):
        tab.page.keyboard.press("Tab")
        found = tab.page.evaluate(_FOCUSED, False)
        if found and name in found["label"]:
            return
    raise AssertionError(f"{most} presses of the tab key do not reach {name!r}")


def test_a_long_thread_is_read_part_by_part_by_keyboard_and_a_link_opens_the_part_of_its_post(app: App, tab: Tab) -> None:
    played = run(
        "pittsburgh", 8000, 2, feed="engagement", behaviour={"write": 0.4}, runs_dir=app.folder / "runs", run_id="long"
    )
    root = int(played.posts["root"].value_counts().index[0])
    tree = forum.tree(played, root)
    assert tree.parts > 1, f"the case needs a thread of more than {forum.PART} posts"
    posts = tab.page.locator(".post")
    tab.open(f"threads?run=long&thread={root}")
    posts.first.wait_for()
    assert posts.count() == forum.PART
    tab.page.get_by_role("button", name="Show the next").focus()
    tab.page.keyboard.press("Enter")
    second, above = tree.part(2)
    tab.page.locator(f".post[data-post='{second[-1]}']").wait_for()
    assert posts.count() == len(second) + len(above)
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate(_FOCUSED, False)["label"], "the keyboard goes on in the part that was turned to"
    asked = tree.order[-1]
    tab.open(f"threads?run=long&post={asked}")
    last = tab.page.locator(f".post.asked[data-post='{asked}']")
    last.wait_for()
    assert last.evaluate("post => post.getBoundingClientRect().top < innerHeight && post.getBoundingClientRect().bottom > 0")


def test_the_example_is_opened_and_a_thread_is_read_by_keyboard_alone(app: App, tab: Tab) -> None:
    tab.open()
    _tab_to(tab, "Open the example")
    tab.page.keyboard.press("Enter")
    tab.see("What must not get worse")
    tab.settle()
    _tab_to(tab, "Read threads side by side")
    tab.page.keyboard.press("Enter")
    tab.page.locator("button.item").first.wait_for()
    tab.settle()
    _tab_to(tab, "Open thread")
    tab.page.keyboard.press("Enter")
    tab.page.locator(".post.root").nth(1).wait_for()
    _tab_to(tab, "Note on the post")
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("textbox", name="What do you see?").wait_for()
