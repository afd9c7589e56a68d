"""The dashboard in a real browser, on a whole site in real processes with a line that breaks."""

import os
import re
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    StorageState,
    async_playwright,
    expect,
)

from simulators.site.site import Site, run_site

pytestmark = pytest.mark.asyncio(loop_scope="module")

WITHIN_MS = 20_000
SILENT_WITHIN_MS = 40_000
BACK_WITHIN_MS = 60_000
NARROW = {"width": 360, "height": 740}
DEVICE = "pump-station"
MOVING = "level"
NO_LINE = re.compile(r"status of 401|ERR_(INCOMPLETE|CONNECTION|NETWORK)")
"""What a browser itself says of a refused sign-in link or of a server that went away."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with run_site(tmp_path_factory.mktemp("browser")) as running:
        await running.settle_in()
        await running.start_gateway()
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("needs chromium (Debian: chromium; `make packages`)")
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=program, args=options)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def state(site: Site, browser: Browser) -> StorageState:
    """Cookies of one sign-in by a link, which is checked on the way."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(await site.sign_in_link())
    await expect(page.get_by_role("heading", name="The gateway is live")).to_be_visible(
        timeout=WITHIN_MS
    )
    assert "token" not in page.url
    saved = await context.storage_state()
    await context.close()
    return saved


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser, state: StorageState) -> AsyncIterator[BrowserContext]:
    """A signed-in browser; at the end it must not have complained about anything."""
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not NO_LINE.search(message.text):
            said.append(message.text)

    opened = await browser.new_context(storage_state=state)
    opened.on("console", listen)
    opened.on("weberror", lambda error: said.append(str(error.error)))
    yield opened
    await opened.close()
    assert said == []


@pytest_asyncio.fixture(loop_scope="module")
async def page(context: BrowserContext) -> Page:
    opened = await context.new_page()
    opened.set_default_timeout(WITHIN_MS)
    return opened


async def _open_device(site: Site, page: Page) -> None:
    await page.goto(site.page)
    await page.get_by_role("link", name=DEVICE, exact=True).first.click()
    await expect(page.get_by_role("heading", name=DEVICE, exact=True)).to_be_visible()


async def test_a_value_changes_while_one_looks(site: Site, page: Page) -> None:
    await _open_device(site, page)
    drawn = page.get_by_role("checkbox", name=f"Draw {MOVING}", exact=True)
    cell = page.get_by_role("row").filter(has=drawn).locator(".now")
    before = await cell.inner_text()
    await expect(cell).not_to_have_text(before, timeout=WITHIN_MS)


async def test_an_outage_is_said_while_it_lasts_and_marked_once_it_is_over(
    site: Site, page: Page
) -> None:
    await _open_device(site, page)
    await site.line.cut()
    try:
        silent = page.get_by_text("Silent since")
        await expect(silent.first).to_be_visible(timeout=SILENT_WITHIN_MS)
        chart = page.get_by_role("region", name="Chart", exact=True)
        await expect(chart.get_by_text("No contact")).to_be_visible()
    finally:
        await site.line.restore()
    await expect(chart.get_by_text("Back-filled")).to_be_visible(timeout=BACK_WITHIN_MS)
    await expect(chart.get_by_text("Line down")).to_be_visible(timeout=WITHIN_MS)
    await expect(silent).to_have_count(0, timeout=WITHIN_MS)


async def test_read_now_is_followed_until_it_succeeded(site: Site, page: Page) -> None:
    await _open_device(site, page)
    await page.get_by_role("button", name="Read now").click()
    done = page.locator("li.done").filter(has_text="succeeded")
    await expect(done).to_be_visible(timeout=BACK_WITHIN_MS)


async def test_a_link_works_once(site: Site, browser: Browser) -> None:
    link = await site.sign_in_link()
    first, second = await browser.new_context(), await browser.new_context()
    page = await first.new_page()
    await page.goto(link)
    await expect(page.get_by_role("link", name="Overview", exact=True)).to_be_visible()
    again = await second.new_page()
    await again.goto(link)
    await expect(again.get_by_role("alert")).to_contain_text("used or has expired")
    await first.close()
    await second.close()


async def test_a_device_is_reached_and_charted_by_keyboard_alone(site: Site, page: Page) -> None:
    await page.goto(site.page)
    await page.get_by_role("link", name=DEVICE, exact=True).first.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=DEVICE, exact=True)).to_be_visible()
    await page.get_by_role("checkbox", name="Draw flow").focus()
    await page.keyboard.press("Space")
    await expect(page).to_have_url(re.compile("points=.*flow"))
    cursor = page.get_by_role("slider").first
    await cursor.focus()
    await page.keyboard.press("ArrowLeft")
    await expect(cursor).to_have_attribute("aria-valuetext", re.compile(r" at \d\d:\d\d:\d\d$"))


async def test_a_chart_has_a_table_with_the_same_numbers(site: Site, page: Page) -> None:
    await _open_device(site, page)
    await page.get_by_role("button", name="Table").click()
    table = page.get_by_role("region", name="Chart", exact=True).get_by_role("table")
    await expect(table.get_by_role("columnheader", name=re.compile(MOVING))).to_be_visible()
    assert await table.get_by_role("row").count() > 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_is_wider_than_a_phone(site: Site, page: Page, scheme: str) -> None:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
    await _open_device(site, page)
    device = page.url
    for address in (device, site.page, f"{site.page}/alerts", f"{device}?range=7d"):
        await page.goto(address)
        await page.get_by_role("heading", level=1).wait_for()
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= NARROW["width"], address
