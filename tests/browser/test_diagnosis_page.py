"""The page of `diagnose --report` in a browser: nothing leaves it, nobody else's text runs, everybody can read it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import written
from tests.browser.lives import open_life, page_of, resolved_life
from tests.browser.pages import HOSTILE, denied, distant, healthy, hostile, page, undecided, unreachable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.chromium import Chromium
    from tests.browser.conftest import Look

PAGES = {
    "denied": page(denied()),
    "unreachable": page(unreachable()),
    "distant": page(distant()),
    "undecided": page(undecided()),
    "healthy": page(healthy()),
    "several": page(healthy(), undecided(), unreachable(), denied(), not_asked=("example.com/app is not in ECR",)),
    "none": page(not_asked=("example.com/app is not in ECR",)),
    **{f"hostile-{number}": page(hostile(text), hostile(text)) for number, text in enumerate(HOSTILE)},
}
COPY = "document.querySelector('button[data-copies]')"


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_asked_for_and_nothing_complains(chromium: Chromium, tmp_path: Path, name: str) -> None:
    opened = chromium.open(written(tmp_path, PAGES[name]))
    assert opened.requests == []
    assert opened.problems == []
    assert opened.run("typeof ran") == "undefined"
    assert opened.run("document.scripts.length") == 1
    assert opened.run("document.querySelectorAll('img, iframe, object, embed, form, link, base, [style]').length") == 0
    assert opened.run("[...document.links].every(each => /^(https:|file:)/.test(each.href))") is True


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_window(chromium: Chromium, tmp_path: Path, name: str, width: int) -> None:
    opened = chromium.open(written(tmp_path, PAGES[name]), width=width)
    opened.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert opened.run("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    "name", ["denied", "unreachable", "distant", "undecided", "healthy", "several", "none", "hostile-0"]
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_axe_finds_nothing(  # noqa: PLR0913, PLR0917 -- each is a parameter of the test
    chromium: Chromium, tmp_path: Path, violations: Look, name: str, scheme: str, width: int
) -> None:
    opened = chromium.open(written(tmp_path, PAGES[name]), width=width, scheme=scheme)
    opened.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert violations(opened) == []


def test_a_long_way_is_drawn_at_the_size_of_the_other_text(chromium: Chromium, tmp_path: Path) -> None:
    opened = chromium.open(written(tmp_path, PAGES["distant"]), width=1200)
    drawn = opened.run(
        "(d => d.getBoundingClientRect().width / d.viewBox.baseVal.width)(document.querySelector('.across'))"
    )
    assert 0.9 < drawn <= 1


def test_the_policy_refuses_what_is_not_the_pages_own(chromium: Chromium, tmp_path: Path) -> None:
    opened = chromium.open(written(tmp_path, PAGES["denied"]))
    refused = opened.run("""new Promise(async resolve => {
        const refused = [];
        addEventListener("securitypolicyviolation", event => refused.push(event.effectiveDirective));
        const script = document.createElement("script");
        script.textContent = "ran = 1";
        document.body.append(script);
        const style = document.createElement("style");
        style.textContent = "body { color: red }";
        document.body.append(style);
        const image = document.createElement("img");
        image.src = "https://example.com/x.png";
        document.body.append(image);
        await fetch("https://example.com/").catch(() => {});
        setTimeout(() => resolve(refused), 0);
    })""")
    assert opened.run("typeof ran") == "undefined"
    assert {"script-src-elem", "style-src-elem", "img-src", "connect-src"} <= set(refused)


def test_a_click_copies_the_command(chromium: Chromium, tmp_path: Path) -> None:
    opened = chromium.open(written(tmp_path, PAGES["denied"]))
    chromium.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    opened.click("button[data-copies]")
    assert opened.run("new Promise(done => setTimeout(() => navigator.clipboard.readText().then(done), 0))") == (
        "aws iam attach-role-policy --role-name prod-node "
        "--policy-arn arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
    )
    assert opened.run(f"{COPY}.textContent") == "Copied"
    assert opened.run("document.getElementById('spoken').textContent").startswith("Copied: aws iam attach-role-policy")


def test_without_script_all_is_there_but_the_buttons(chromium: Chromium, tmp_path: Path) -> None:
    opened = chromium.open(written(tmp_path, PAGES["denied"]), script=False)
    assert opened.run(f"{COPY}.checkVisibility()") is False
    assert "aws iam attach-role-policy" in opened.run("document.querySelector('.command').innerText")
    assert opened.run("document.querySelectorAll('summary').length") > 3


def test_paper_has_what_is_folded_and_no_buttons(chromium: Chromium, tmp_path: Path) -> None:
    opened = chromium.open(written(tmp_path, PAGES["denied"]), media="print")
    folded = "[...document.querySelectorAll('details:not([open]) code')].find(e => e.innerText.includes('detach-role'))"
    assert opened.run(f"{folded}.getBoundingClientRect().height") > 0
    assert opened.run(f"{COPY}.checkVisibility()") is False


@pytest.mark.parametrize(("width", "shown", "other"), [(360, "down", "across"), (1200, "across", "down")])
def test_one_picture_is_shown_with_the_broken_stop_marked(
    chromium: Chromium, tmp_path: Path, width: int, shown: str, other: str
) -> None:
    opened = chromium.open(written(tmp_path, PAGES["unreachable"]), width=width)
    assert opened.run(f"document.querySelector('svg.{shown}').checkVisibility()") is True
    assert opened.run(f"document.querySelector('svg.{other}').checkVisibility()") is False
    broken = f"[...document.querySelectorAll('svg.{shown}')][0].querySelectorAll('.is-failed')"
    assert opened.run(f"[...{broken}].map(each => each.textContent).join()").startswith("route rtb-node: broken")
    outside = f"""[...document.querySelectorAll('svg.{shown} g')].filter(each => {{
        const box = each.querySelector('rect').getBoundingClientRect();
        const right = text => text.closest('svg').getScreenCTM().e + text.getComputedTextLength();
        return [...each.querySelectorAll('text')].some(text => right(text) > box.right);
    }}).length"""
    assert opened.run(outside) == 0


def test_who_uses_an_image_stands_in_the_width_of_the_page(chromium: Chromium, tmp_path: Path) -> None:
    used = ("Deployment shop/web, container web (charts/shop/templates/web.yaml:11)",)
    opened = chromium.open(written(tmp_path, page(replace(denied(), used_by=used))), width=1200)
    assert opened.run("document.querySelector('.used li').clientWidth") > 600


@pytest.mark.parametrize("width", [360, 390, 768])
def test_a_command_breaks_at_its_spaces_alone(chromium: Chromium, tmp_path: Path, width: int) -> None:
    opened = chromium.open(written(tmp_path, PAGES["denied"]), width=width)
    lines = opened.run("""[...document.querySelectorAll('.command .word')].map(word => {
        const range = document.createRange();
        range.selectNodeContents(word);
        const tops = [...range.getClientRects()].map(each => Math.round(each.top));
        const alone = word.getBoundingClientRect().width >= word.closest('pre').clientWidth - 1;
        return [word.textContent, new Set(tops).size, alone];
    })""")
    assert len(lines) > 8
    assert [word for word, rows, alone in lines if rows > 1 and not alone] == []


def test_an_account_id_in_a_table_is_one_line(chromium: Chromium, tmp_path: Path) -> None:
    opened = chromium.open(written(tmp_path, page_of(open_life(), resolved_life())), width=360)
    ids = "[...document.querySelectorAll('th.whole')]"
    assert opened.run(f"{ids}.map(each => each.textContent)") == ["111111111111"]
    lines = f"{ids}.map(each => each.clientHeight < 2 * parseFloat(getComputedStyle(each).lineHeight))"
    assert opened.run(lines) == [True]


def test_a_name_from_right_to_left_moves_nothing_beside_it(chromium: Chromium, tmp_path: Path) -> None:
    opened = chromium.open(written(tmp_path, page(hostile("שלום 123"))))
    labels = "[...document.querySelectorAll('.facts dt')].map(each => each.getBoundingClientRect().x)"
    assert len(set(opened.run(labels))) == 1
    assert opened.run("getComputedStyle(document.querySelector('bdi')).unicodeBidi") == "isolate"
