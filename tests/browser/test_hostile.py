"""What others send is text: in events, answers, log lines, names, YAML and addresses.

Each payload sets a flag of the page if anything of it is ever executed; and every page is looked at
with all of them in it. The rest is who may change something: the page itself, and no other.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import NARROW, PAGES, Console, Watch
from tests.e2e.executable import Knlite, wait_until

PAYLOADS = (
    "<script>window.hostile = 1</script>",
    "<img src=x onerror=window.hostile=1>",
    '"><svg onload=window.hostile=1>',
    "javascript:window.hostile=1",
    "{{constructor.constructor('window.hostile=1')()}}",
    "__proto__",
    "constructor",
    "\u202egnp.exe\u200b\u2066",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "a" * 300 + "\u0301" * 300,
)
LONG = "x" * 1_000_000
MERGE = {"Content-Type": "application/merge-patch+json"}
GREETER = "/apis/serving.knative.dev/v1/namespaces/shop/services/greeter"
SHOP_MAPS = "/api/v1/namespaces/shop/configmaps"


@pytest.fixture(scope="module")
def run(own_run: Knlite) -> Knlite:
    """What is put here is met on every page."""
    return own_run


@pytest.fixture(scope="module", autouse=True)
def attacked(console: Console) -> list[int]:
    """Payloads everywhere that a stranger's text gets to; the arrivals of the events."""
    run = console.run
    arrivals = [posted(run, number, payload) for number, payload in enumerate(PAYLOADS)]
    arrivals.append(posted(run, len(PAYLOADS), "long", {"text": LONG}))
    run.get("greeter.shop", "/long")
    for payload in PAYLOADS:
        said = payload.encode("unicode_escape").decode("ascii")
        run.get("greeter.shop", f"/{quote(payload)}", params={"q": payload})
        run.http.get(
            "/",
            headers={"Host": "greeter.shop.localhost", "X-Say": said, "User-Agent": said},
        )
    objects(run)
    wait_until(lambda: run.logged("greeter", "onerror"), "the lines")
    return arrivals


def posted(run: Knlite, number: int, payload: str, data: Any = None) -> int:
    """An event that has *payload* in all its places."""
    printable = re.sub(r"[\x00-\x1f\x7f]", "?", payload)
    answer = run.admin.post(
        "/knlite/events",
        params={"broker": "shop/orders"},
        headers={"Content-Type": "application/cloudevents+json"},
        content=json.dumps(
            {
                "specversion": "1.0",
                "id": f"{number}{printable}",
                "source": f"urn:{quote(printable, safe='')}",
                "type": printable,
                "subject": printable,
                "constructor": printable,
                "prototype": printable,
                "data": data or {payload: payload, "__proto__": {"hostile": 1}},
            }
        ),
    )
    assert answer.status_code < 300, answer.text
    return int(answer.json()["arrival"])


def objects(run: Knlite) -> None:
    """The same in objects."""
    everything = {f"key-{number}": payload for number, payload in enumerate(PAYLOADS)}
    answer = run.admin.post(
        SHOP_MAPS,
        json={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "constructor", "namespace": "shop", "annotations": everything},
            "data": {**everything, "__proto__": PAYLOADS[0]},
        },
    )
    assert answer.status_code == 201, answer.text
    answer = run.admin.patch(
        GREETER,
        headers=MERGE,
        json={
            "metadata": {"annotations": everything},
            "spec": {
                "template": {
                    "spec": {
                        "containers": [
                            {
                                "image": "example.com/shop:latest",
                                "env": [{"name": "HOSTILE", "value": PAYLOADS[1]}],
                            }
                        ]
                    }
                }
            },
        },
    )
    assert answer.status_code == 200, answer.text
    answer = run.admin.post(
        "/apis/eventing.knative.dev/v1/namespaces/shop/triggers",
        json={
            "apiVersion": "eventing.knative.dev/v1",
            "kind": "Trigger",
            "metadata": {"name": "prototype", "namespace": "shop", "annotations": everything},
            "spec": {
                "broker": "orders",
                "filter": {"attributes": {"type": PAYLOADS[1]}},
                "subscriber": {"uri": "http://127.0.0.1:1/<img src=x onerror=window.hostile=1>"},
            },
        },
    )
    assert answer.status_code in {201, 400}, answer.text


def shown(page: Page) -> None:
    """Wait for a title, or for that there is no such thing."""
    main = page.get_by_role("main")
    expect(main.get_by_role("heading").or_(main.get_by_role("alert")).first).to_be_visible()


def unharmed(page: Page, where: str = "") -> None:
    """Nothing was executed, and nothing but text came of what strangers sent."""
    found = page.evaluate(
        """() => ({
            hostile: window.hostile ?? Object.prototype.hostile ?? null,
            title: document.title.endsWith(" · knlite"),
            elements: [...document.querySelectorAll(
                "script:not([src]), img, iframe, object, embed, [onerror], [onload]")]
                .map((each) => each.outerHTML.slice(0, 200)),
            links: [...document.querySelectorAll("a[href]")].map((each) => each.protocol)
                .filter((each) => !["http:", "https:", "blob:"].includes(each)),
            wide: document.documentElement.scrollWidth > innerWidth,
        })"""
    )
    assert found == {"hostile": None, "title": True, "elements": [], "links": [], "wide": False}, (
        where
    )


@pytest.mark.parametrize("looked", [{}, {"size": NARROW}], indirect=True, ids=["wide", "narrow"])
def test_no_page_executes_what_strangers_send(
    page: Page, console: Console, attacked: list[int]
) -> None:
    places = [
        *PAGES,
        "services/shop/greeter",
        "events?tab=dead-letters",
        "manifests/core/v1/configmaps/shop/constructor",
        "manifests/serving.knative.dev/v1/services/shop/greeter",
        "map?at=Trigger/shop/prototype",
        f"map?event={attacked[1]}",
        *(f"events/{arrival}" for arrival in attacked),
        f"send?event={attacked[2]}",
    ]
    for where in places:
        page.goto(f"{console.address}#/{where}")
        shown(page)
        page.wait_for_load_state("networkidle")
        unharmed(page, where)


def test_what_strangers_send_is_there_to_be_read(page: Page, console: Console) -> None:
    for where in ("events", "logs", "requests"):
        page.goto(f"{console.address}#/{where}")
        expect(page.get_by_text(re.compile("onerror(=|%3D)window.hostile")).first).to_be_visible()
    unharmed(page)


HASHES = [*PAYLOADS[:8], "__proto__/constructor/toString", "%E0%A4%A"]


@pytest.mark.parametrize("hash_", HASHES, ids=range(len(HASHES)))
def test_an_address_is_text_too(page: Page, watch: Watch, console: Console, hash_: str) -> None:
    # That there is no such thing is said by the server.
    watch.expect("40[04]")
    quoted = hash_ if hash_.startswith("%") else quote(hash_, safe="/")
    for where in ("", "events/", "requests/", "services/shop/", "manifests/core/v1/pods/shop/"):
        page.goto(f"{console.address}#/{where}{quoted}?at={quoted}&q={quoted}&event={quoted}")
        shown(page)
        unharmed(page)


def test_a_service_that_answers_with_a_page_shows_its_source(page: Page, console: Console) -> None:
    page.goto(f"{console.address}#/services/shop/fragile")
    page.get_by_role("button", name="Invoke").click()
    drawer = page.get_by_role("complementary", name="Invoke fragile")
    drawer.get_by_label("Method").select_option("POST")
    drawer.get_by_role("button", name="Send").click()
    expect(drawer.get_by_text("<script>window.hostile = true</script> broken")).to_be_visible()
    unharmed(page)


def test_the_policy_lets_no_code_in(page: Page, watch: Watch, console: Console) -> None:
    answer = console.run.admin.get("/", headers={"Accept": "text/html"})
    policy = answer.headers["Content-Security-Policy"]
    for each in (
        "default-src 'none'",
        "script-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    ):
        assert each in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    watch.expect("policy: |Content.Security.Policy|TrustedScript|TrustedHTML")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            try { script.textContent = "window.hostile = 1"; } catch { }
            document.body.append(script);
            try { document.body.innerHTML = "<img src=x onerror='window.hostile=1'>"; } catch { }
        }"""
    )
    assert page.evaluate("window.hostile ?? null") is None
    assert any("olicy" in each or "Trusted" in each for each in watch.found)


CHANGE = """async ([path, token]) => (await fetch(path, {
    method: "PATCH",
    body: JSON.stringify({metadata: {labels: {changed: "yes"}}}),
    headers: {
        "Content-Type": "application/merge-patch+json",
        ...(token ? {"X-Knlite-Token": token} : {}),
    },
})).status"""


def test_a_change_needs_the_token_of_the_page(page: Page, watch: Watch) -> None:
    watch.expect("403")
    token = page.locator("meta[name=knlite-token]").get_attribute("content")
    assert page.evaluate(CHANGE, [GREETER, None]) == 403
    assert page.evaluate(CHANGE, [GREETER, "guessed"]) == 403
    assert page.evaluate(CHANGE, [GREETER, token]) == 200


@contextmanager
def foreign_page() -> Iterator[str]:
    """The address of a page that somebody else serves on this machine."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>foreign</title>")

        def log_request(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


FOREIGN = """async (admin) => {
    const tried = {};
    const options = {method: "POST", mode: "no-cors", headers: {"Content-Type": "text/plain"}};
    const made = {apiVersion: "v1", kind: "Namespace", metadata: {name: "foreign"}};
    for (const path of ["knlite/services/shop/greeter/rest", "api/v1/namespaces"]) {
        const body = JSON.stringify(made);
        await fetch(admin + path, {...options, body}).catch(() => null);
    }
    try {
        tried.read = await (await fetch(admin + "api/v1/secrets")).text();
    } catch (error) {
        tried.read = null;
    }
    return tried;
}"""


def test_another_page_changes_nothing_and_reads_nothing(console: Console) -> None:
    before = len(console.run.seen("InstanceChanged", service="greeter"))
    with foreign_page() as address, console.looking() as (page, _):
        page.goto(address)
        assert page.evaluate(FOREIGN, console.address) == {"read": None}
    assert console.run.admin.get("/api/v1/namespaces/foreign").status_code == 404
    assert len(console.run.seen("InstanceChanged", service="greeter")) == before
