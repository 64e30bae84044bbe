"""A real Chromium against the real app in a folder of its own.

The browser is whichever Chromium is installed (Debian's package `chromium`, or CHROMIUM=/path). Where there is none, or no
playwright, every test here is skipped with a reason that says what to install.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PATIENCE = 180_000  # ms: a machine may be slow or busy, and a state that comes ends the wait at once


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))  # one Chromium at a time: two cores are two cores
            if CHROMIUM is None:
                item.add_marker(
                    pytest.mark.skip("NO BROWSER: install Debian's packages chromium and chromium-driver, or set CHROMIUM")
                )


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="NO PLAYWRIGHT: pip install -e '.[app,dev]' -c constraints.txt")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class App:
    """The app as a process of its own, on 127.0.0.1, in its own folder."""

    def __init__(self, folder: Path, script: Path = ROOT / "streamlit_app.py") -> None:
        self.folder, self.script = folder, script
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "app.log"

    def __enter__(self) -> App:
        shutil.copytree(ROOT / ".streamlit", self.folder / ".streamlit", dirs_exist_ok=True)
        environment = {
            **os.environ, "SIMULACRA_RUNS": str(self.folder / "runs"), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        }  # fmt: skip
        command = [sys.executable, "-m", "streamlit", "run", str(self.script), "--server.headless", "true",
                   "--server.port", str(self.port)]  # fmt: skip
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        self._wait()
        return self

    def _wait(self) -> None:
        for _ in range(1200):
            try:
                with urlopen(f"{self.url}/_stcore/health", timeout=1):
                    return
            except OSError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.1)
        raise AssertionError(f"The app did not start:\n{self.log.read_text(errors='replace')[-2000:]}")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with App(tmp_path) as running:
        yield running


class Tab:
    """A page in the browser that keeps what it asked the network for, and every dialog or error of a script."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.asked: list[str] = []
        self.dialogs: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("dialog", self._dialog)

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    @property
    def leaks(self) -> list[str]:
        """Requests that left this machine's own address."""
        ours = (self.url, self.url.replace("http", "ws", 1), f"blob:{self.url}", "data:")
        return [address for address in self.asked if not address.startswith(ours)]

    def open(self, path: str = "") -> None:
        self.page.goto(f"{self.url}/{path}")
        self.settle()

    def settle(self) -> None:
        """Until the script has run to its end; fails where the page shows a traceback."""
        self.page.wait_for_timeout(250)
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        self.page.wait_for_timeout(150)
        broken = self.page.locator("[data-testid=stException]")
        assert broken.count() == 0, broken.first.inner_text()

    def press(self, name: str, nth: int = 0, exact: bool = True) -> None:
        self.page.get_by_role("button", name=name, exact=exact).nth(nth).click()
        self.settle()

    def fill(self, label: str, words: str, role: str = "textbox") -> None:
        field = self.page.get_by_role(role, name=label, exact=True)
        field.fill(words)
        field.press("Control+Enter" if role == "textbox" else "Enter")
        field.blur()
        self.settle()

    def choose(self, label: str, option: str) -> None:
        self.page.get_by_role("combobox", name=label, exact=True).click()
        self.page.get_by_role("option", name=option, exact=False).first.click()
        self.settle()

    def see(self, words: str) -> None:
        self.page.get_by_text(words).first.wait_for()


@pytest.fixture
def tab(chromium: Any, app: App) -> Iterator[Tab]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    yield Tab(context.new_page(), app.url)
    context.close()
