"""`--auth token`: who is who, on every route and in every store; the sign-in; what a cookie may not do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from midstream.gateway.http import routes
from midstream.gateway.http.failures import Failures
from midstream.gateway.http.sign_in_texts import TEXTS, language_of
from midstream.gateway.store.interface import RunStore
from midstream.gateway.tokens import Tokens
from tests.gateway.live import FINISH, Gateway, PlayedUpstream, chat, in_process, live, text_of, word_chunk
from tests.gateway.support import eventually

pytestmark = pytest.mark.anyio

COOKIE = "midstream-8765"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAGE = {"Accept": "text/html,application/xhtml+xml"}


class People:
    """Two owners, their tokens, and the folder that knows them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tokens = Tokens(folder)
        self.ann, self.bob = self.tokens.add("ann"), self.tokens.add("bob")

    def gateway(self, **options: Any) -> AbstractAsyncContextManager[Gateway]:
        return in_process(tokens=str(self.folder), **options)


@pytest.fixture
def people(tmp_path: Path) -> People:
    return People(tmp_path / "tokens")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def signed_in(token: str, name: str = COOKIE) -> dict[str, str]:
    return {"Cookie": f"other=1; {name}={token}; more=2"}


# -- every route


def every_route() -> Iterator[tuple[str, str]]:
    """Method and path of each route of the API, with the names in braces."""
    for route in routes.API:
        assert isinstance(route, Route)
        for method in sorted(route.methods or ()):
            yield method, route.path


TABLE = list(every_route())
OWNED = [(method, path) for method, path in TABLE if "{run}" in path or "{conversation}" in path]


async def ask(
    gateway: Gateway, method: str, path: str, headers: dict[str, str], names: dict[str, str]
) -> httpx.Response:
    """A request that is right but for who asks; POSTs have a body."""
    filled = re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: names.get(match[1], "x"), path)
    asked = chat(stream=False) if method == "POST" else {"headers": {}}
    return await gateway.client.request(method, filled, **{**asked, "headers": {**asked["headers"], **headers}})


@pytest.mark.parametrize(("method", "path"), TABLE)
async def test_every_route_wants_a_token(people: People, method: str, path: str) -> None:
    names = {"run": "0" * 32, "conversation": "c"}
    forged = people.ann[:-1] + ("a" if people.ann[-1] != "a" else "b")
    wrong = [
        {},
        bearer(forged),
        bearer(""),
        {"Authorization": "Bearer"},
        {"Authorization": people.ann},
        {"Authorization": f"Basic {people.ann}"},
        {**bearer(forged), **signed_in(people.ann)},
        signed_in(forged),
        signed_in(people.ann, "midstream-8766"),
        {"X-Api-Key": people.ann},
    ]
    async with people.gateway() as gateway:
        for headers in wrong:
            response = await ask(gateway, method, path, headers, names)
            assert response.status_code == 401, headers
            assert response.headers["www-authenticate"] == "Bearer"
            if method != "HEAD":
                assert response.json()["error"]["problem"]["code"] == "sign_in"
        query = f"{path}?token={people.ann}&access_token={people.ann}"
        assert (await ask(gateway, method, query, {}, names)).status_code == 401
        assert gateway.upstream.requests == []


@pytest.mark.parametrize(("method", "path"), OWNED)
async def test_what_belongs_to_another_looks_unknown(people: People, store: RunStore, method: str, path: str) -> None:
    upstream = PlayedUpstream()
    upstream.script(word_chunk("secret"), FINISH, None)
    async with people.gateway(store=store, upstream=upstream) as gateway:
        mine = await gateway.post(conversation="c", headers=bearer(people.ann))
        names = {"run": mine.headers["midstream-run"], "conversation": "c"}
        unknown = await ask(gateway, method, path, bearer(people.bob), {"run": "0" * 32, "conversation": "d"})
        foreign = await ask(gateway, method, path, bearer(people.bob), names)
        assert (foreign.status_code, foreign.text) == (unknown.status_code, unknown.text)
        assert foreign.status_code == 404
        assert dict(foreign.headers) == dict(unknown.headers)
        kept = await gateway.client.get(f"/v1/runs/{names['run']}", headers=bearer(people.ann))
        assert kept.json()["text"] == "secret"
        assert (await ask(gateway, method, path, bearer(people.ann), names)).status_code < 300


async def test_each_has_keys_conversations_and_lists_of_their_own(people: People, store: RunStore) -> None:
    upstream = PlayedUpstream()
    for word in ("for ann", "for bob"):
        upstream.script(word_chunk(word), FINISH, None)
    async with people.gateway(store=store, upstream=upstream) as gateway:
        runs = {}
        for token, text in ((people.ann, "from ann"), (people.bob, "from bob")):
            answer = await gateway.post(key="k", conversation="c", text=text, headers=bearer(token))
            runs[token] = answer.headers["midstream-run"]
        assert len(set(runs.values())) == 2
        for token, text in ((people.ann, "from ann"), (people.bob, "from bob")):
            listed = (await gateway.client.get("/v1/conversations", headers=bearer(token))).json()["data"]
            assert [(one["id"], one["title"], one["runs"]) for one in listed] == [("c", text, 1)]
            found = (await gateway.client.get("/v1/conversations/c", headers=bearer(token))).json()["runs"]
            assert [run["id"] for run in found] == [runs[token]]
        owners = {(await store.get(run)).owner for run in runs.values()}  # type: ignore[union-attr]
        assert owners == {"ann", "bob"}


async def test_one_owner_cannot_use_up_the_others_runs(people: People) -> None:
    limits = {"live_runs": 1, "first_word": 0.05}
    async with (
        live(tokens=str(people.folder), limits=limits) as gateway,
        gateway.following(headers=bearer(people.ann)),
    ):
        assert (await gateway.post(headers=bearer(people.ann))).status_code == 429
        gateway.upstream.script(word_chunk("a"), FINISH, None)
        async with gateway.following(headers=bearer(people.bob)) as other:
            assert text_of(await other.take(1)) == "a"


async def test_without_tokens_everybody_is_the_owner_local_and_a_token_of_that_name_has_it(
    people: People, store: RunStore
) -> None:
    upstream = PlayedUpstream()
    upstream.script(word_chunk("a"), FINISH, None)
    async with in_process(store=store, upstream=upstream) as gateway:
        for headers in ({}, bearer("anything"), signed_in("anything")):
            assert (await gateway.client.get("/v1/models", headers=headers)).status_code == 200
        run = (await gateway.post(conversation="c")).headers["midstream-run"]
        assert (await gateway.client.get("/sign-in")).status_code == 404
    await store.open()
    record = await store.get(run)
    if record is None:  # the store in memory ends with its gateway
        return
    token = people.tokens.add("local")
    async with people.gateway(store=store) as gateway:
        response = await gateway.client.get(f"/v1/runs/{run}", headers=bearer(token))
        assert response.json()["text"] == "a"
    await store.open()


# -- revoking


async def test_a_revoked_token_ends_at_once(people: People) -> None:
    async with people.gateway() as gateway:
        for headers in (bearer(people.ann), signed_in(people.ann)):
            assert (await gateway.client.get("/v1/models", headers=headers)).status_code == 200
        Tokens(people.folder).revoke("ann")  # as another process does
        for headers in (bearer(people.ann), signed_in(people.ann)):
            assert (await gateway.client.get("/v1/models", headers=headers)).status_code == 401
        assert (await gateway.client.get("/v1/models", headers=bearer(people.bob))).status_code == 200
        again = Tokens(people.folder).add("ann")
        assert (await gateway.client.get("/v1/models", headers=bearer(people.ann))).status_code == 401
        assert (await gateway.client.get("/v1/models", headers=bearer(again))).status_code == 200


async def test_a_stream_of_a_revoked_token_breaks_off_and_its_run_goes_on(people: People) -> None:
    async with live(tokens=str(people.folder), limits={"heartbeat": 0.05}) as gateway:
        async with gateway.following(conversation="c", headers=bearer(people.ann)) as stream:
            gateway.upstream.answers[0].say("seen ")
            assert text_of(await stream.take(1)) == "seen "
            people.tokens.revoke("ann")
            rest = await stream.rest()  # ends, by the next heartbeat
        assert rest == []
        assert not gateway.upstream.answers[0].closed.is_set()
        gateway.upstream.answers[0].say("unseen")
        gateway.upstream.answers[0].finish()
        again = Tokens(people.folder).add("ann")

        async def ended() -> str | None:
            run = (await gateway.client.get(f"/v1/runs/{stream.run}", headers=bearer(again))).json()
            return str(run["text"]) if run["state"] == "completed" else None

        assert await eventually(ended, "end of the run") == "seen unseen"


# -- the sign-in


async def test_the_page_leads_to_the_sign_in_and_back(people: People, small_dist: Path) -> None:
    async with people.gateway(dist=str(small_dist)) as gateway:
        client = gateway.client
        asked = await client.get("/?c=talk-1&x=%26", headers=PAGE)
        assert asked.status_code == 303
        form = await client.get(asked.headers["location"])
        assert form.status_code == 200
        (wanted,) = re.findall(r'name="next" value="([^"]*)"', form.text)
        fields = {"token": f" {people.ann}\n", "next": wanted.replace("&amp;", "&")}
        done = await client.post("/sign-in", data=fields, headers={"Origin": "http://127.0.0.1:8765"})
        assert (done.status_code, done.headers["location"]) == (303, "./?c=talk-1&x=%26")
        attributes = done.headers["set-cookie"].split("; ")
        assert attributes[0] == f"{COOKIE}={people.ann}"
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(attributes)
        assert "Secure" not in attributes
        client.cookies.clear()
        page = await client.get("/?c=talk-1", headers={**PAGE, **signed_in(people.ann)})
        assert page.text == "<!doctype html><title>screen</title>"
        models = await client.get("/v1/models", headers=signed_in(people.ann))
        assert models.status_code == 200


@pytest.mark.parametrize(
    ("headers", "host"),
    [({"Origin": "https://chat.example"}, "chat.example"), ({"X-Forwarded-Proto": "https"}, "127.0.0.1:8765")],
)
async def test_behind_https_the_cookie_is_secure(people: People, headers: dict[str, str], host: str) -> None:
    async with people.gateway(hosts=("chat.example",)) as gateway:
        done = await gateway.client.post("/sign-in", data={"token": people.ann}, headers={**headers, "Host": host})
        assert "Secure" in done.headers["set-cookie"]


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\r\nSet-Cookie: a=b",
        "x" * 9000,
        "../../",
        "javascript:1",
    ],
)
async def test_an_address_from_outside_is_never_followed(people: People, wanted: str) -> None:
    async with people.gateway() as gateway:
        done = await gateway.client.post("/sign-in", data={"token": people.ann, "next": wanted})
        assert done.status_code == 303
        assert re.fullmatch(r"\./(\?[\w=%.+*~&-]*)?", done.headers["location"])
        assert done.headers.get_list("set-cookie") == [done.headers["set-cookie"]]
        shown = await gateway.client.get("/sign-in", params={"next": f'"><script>{wanted}'})
        assert "<script" not in shown.text


async def test_a_wrong_token_is_said_in_words_and_too_many_are_refused(people: People) -> None:
    async with people.gateway() as gateway:
        for number in range(12):
            refused = await gateway.client.post("/sign-in", data={"token": f"wrong-{number}", "next": "c=1"})
            assert refused.status_code == (401 if number < 10 else 429)
            assert "set-cookie" not in refused.headers
            assert 'role="alert"' in refused.text
            assert 'value="c=1"' in refused.text
            assert "wrong-" not in refused.text
        assert refused.headers["retry-after"] == "60"
        assert TEXTS["en"]["too_many"] in refused.text
        # Whoever has a right one is not locked out by somebody behind the same address.
        assert (await gateway.client.post("/sign-in", data={"token": people.ann})).status_code == 303


async def test_signing_out_takes_the_cookie_away(people: People) -> None:
    async with people.gateway() as gateway:
        account = await gateway.client.get("/sign-in", headers=signed_in(people.ann))
        assert TEXTS["en"]["signed_in"].format(name="ann") in account.text
        assert 'action="sign-out"' in account.text
        done = await gateway.client.post("/sign-out", headers=signed_in(people.ann))
        assert (done.status_code, done.headers["location"]) == (303, "sign-in")
        assert re.match(rf'{COOKIE}=""; .*Max-Age=0', done.headers["set-cookie"])
        assert (await gateway.client.get("/sign-out", headers=signed_in(people.ann))).status_code == 405


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "en"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("de;q=1, pl;q=0.5, ru;q=0.4", "pl"),
        ("ru;q=0", "en"),
    ],
)
async def test_the_page_speaks_the_persons_language(people: People, accepted: str, language: str) -> None:
    assert language_of(accepted) == language
    async with people.gateway() as gateway:
        page = await gateway.client.get("/sign-in", headers={"Accept-Language": accepted})
    assert f'<html lang="{language}">' in page.text
    assert TEXTS[language]["whence"] in page.text


def test_all_languages_have_all_sentences() -> None:
    assert len({frozenset(texts) for texts in TEXTS.values()}) == 1
    assert all(text.strip() for texts in TEXTS.values() for text in texts.values())


async def test_the_page_needs_no_script_and_lets_none_in(people: People) -> None:
    async with people.gateway() as gateway:
        page = await gateway.client.get("/sign-in")
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "unsafe" not in policy
    assert "form-action 'self'" in policy and "frame-ancestors 'none'" in policy
    # Else the browser would send the form with the Origin "null", which is refused.
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("headers", [{"Content-Type": "application/json"}, {"Content-Type": "text/plain"}, {}])
async def test_only_a_form_signs_in(people: People, headers: dict[str, str]) -> None:
    async with people.gateway() as gateway:
        content = f"token={people.ann}".encode()
        assert (await gateway.client.post("/sign-in", content=content, headers=headers)).status_code == 415
        assert (await gateway.client.post("/sign-in", content=b"x" * 20_000, headers=FORM)).status_code == 413


# -- a cookie works on our own pages only


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Origin": "https://allowed.example"},
        {"Origin": "https://allowed.example", "Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/conversations"), ("POST", "/v1/chat/completions")])
async def test_a_cookie_does_not_work_from_elsewhere(
    people: People, headers: dict[str, str], method: str, path: str
) -> None:
    async with people.gateway(origins=("https://allowed.example",)) as gateway:
        response = await ask(gateway, method, path, {**headers, **signed_in(people.ann)}, {})
        assert response.status_code in (401, 403)
        assert gateway.upstream.requests == []


async def test_a_program_on_an_allowed_page_uses_its_token(people: People) -> None:
    async with people.gateway(origins=("https://allowed.example",)) as gateway:
        origin = {"Origin": "https://allowed.example", "Sec-Fetch-Site": "cross-site"}
        response = await gateway.client.get("/v1/models", headers={**origin, **bearer(people.ann)})
        assert response.status_code == 200
        assert "access-control-allow-credentials" not in response.headers
        refused = await gateway.client.get("/v1/models", headers=origin)
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == "https://allowed.example"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_link_on_another_site_finds_the_cookie_on_the_second_step(
    people: People, site: str, small_dist: Path
) -> None:
    """A strict cookie does not come with such a link. Our own page makes a request with which it does."""
    async with people.gateway(dist=str(small_dist)) as gateway:
        first = await gateway.client.get("/?c=a", headers={**PAGE, "Sec-Fetch-Site": site, **signed_in(people.ann)})
        assert first.status_code == 200
        (address,) = re.findall(r"url=([^\"]+)", first.text)
        second = await gateway.client.get(
            f"/{address}", headers={**PAGE, "Sec-Fetch-Site": "same-origin", **signed_in(people.ann)}
        )
        assert (second.status_code, second.headers["location"]) == (303, "./?c=a")


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_another_site_can_sign_nobody_in_or_out(people: People, path: str, headers: dict[str, str]) -> None:
    async with people.gateway() as gateway:
        response = await gateway.client.post(path, data={"token": people.bob}, headers=headers)
        assert response.status_code == 403
        assert "set-cookie" not in response.headers


async def test_what_holds_nothing_private_is_for_everybody(people: People, small_dist: Path) -> None:
    async with people.gateway(dist=str(small_dist)) as gateway:
        for path in ("/", "/index.html", "/sw.js", "/style.css", "/engine.html", "/config.json", "/healthz"):
            response = await gateway.client.get(path, headers={"Accept": "*/*"})
            assert response.status_code == 200, path
        assert (await gateway.client.get("/v1/nothing")).status_code == 401


# -- failed sign-ins


def test_failures_are_counted_for_a_while_and_not_without_end() -> None:
    now = [0.0]
    failures = Failures(limit=2, window=10, size=3, clock=lambda: now[0])
    for address in ("a", "b", "c"):
        failures.add(address)
        failures.add(address)
    assert all(failures.are_too_many(address) for address in "abc")
    failures.add("d")  # the fourth: the first is forgotten
    assert [failures.are_too_many(address) for address in "abcd"] == [False, True, True, False]
    now[0] = 10
    assert not failures.are_too_many("b")
