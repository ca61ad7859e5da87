"""The English sentence of each problem, by its code. `{names}` stand for the values of the problem.

`problems` builds its messages from these sentences, and the build writes them into the English
catalogue of the page (tooling/assets/catalogue.py), so each stands here alone.
"""

from __future__ import annotations

from typing import NamedTuple


class Plural(NamedTuple):
    """A sentence that goes by the value `n`: the form for 1, and the form for other numbers."""

    one: str
    other: str


_MODEL_SERVER = "The model's server ({host})"
_RUNNING = "Is it running?"
_AGAIN = (
    "Choose a file that “Download all data” has made, or the conversations.json of an export from "
    "ChatGPT or Open WebUI."
)


def _any(text: str) -> Plural:
    """English says the same of one and of many; other languages do not."""
    return Plural(text, text)


# A sentence, and the next step where the sentence does not hold it.
ENGLISH: dict[str, tuple[str | Plural, str]] = {
    # An answer, as the engine finds it
    "gone": ("The server no longer has this answer.", ""),
    "expired": ("The server kept this answer for a while and has let it go.", ""),
    "ahead": ("The server has less of this answer than is saved here.", ""),
    "empty": ("The endpoint has sent nothing.", ""),
    "unfinished": ("The endpoint ended the answer without saying that it is complete.", ""),
    "connection_broke": ("The connection to the endpoint broke.", ""),
    "unreachable": ("Nobody answers at {host}.", ""),
    "let_go": ("The browser has let go of the connection.", ""),
    "too_long_here": ("The answer is longer than this browser keeps.", ""),
    "not_resumable": (
        "This endpoint cannot go on with an answer once the page has been reloaded.",
        "",
    ),
    "page_closed": ("The page was closed before the endpoint had answered.", ""),
    "record_damaged": ("What is stored about this answer is damaged.", ""),
    "file_unfinished": ("The file was made while this answer was being written.", ""),
    # An endpoint's own words
    "event_too_large": ("The stream sent one event of more than {limit} bytes; it was closed.", ""),
    "bad_payload": ("The endpoint sent something that cannot be read.", ""),
    "endpoint_error": ("The endpoint reported an error.", ""),
    "endpoint_key": ("The endpoint refused the key ({status}).", "Check the key."),
    "endpoint_unknown": ("The endpoint does not know this model or address ({status}).", ""),
    "endpoint_quota": (
        "The account at the endpoint has nothing left to spend ({status}).",
        "Look at the plan and the payments there.",
    ),
    "endpoint_refused": ("The endpoint refused ({status}).", ""),
    "endpoint_failed": ("The endpoint failed ({status}).", "Try again later."),
    "endpoint_no_stream": ("The endpoint answered with {kind} instead of a stream.", ""),
    "endpoint_no_kind": ("The endpoint answered without a content type, not with a stream.", ""),
    "endpoint_no_models": ("The endpoint does not say which models it has.", ""),
    "endpoint_not_added": ("This is no endpoint that can be added.", ""),
    "gateway_list": ("The gateway's list of conversations cannot be read.", ""),
    # What there is to say of an answer that is complete
    "answer_empty": ("The model has ended its answer without a word.", ""),
    "answer_thought": ("The model has reasoned, and written no answer.", ""),
    "answer_refused": ("The model has refused to answer.", ""),
    "answer_filtered": ("A content filter has ended the answer here.", ""),
    "answer_withheld": ("A content filter has withheld the answer.", ""),
    "answer_tools": ("The model has asked for a tool ({names}); this app runs none.", ""),
    "answer_media": ("The model has sent an image or a sound; this app does not show it.", ""),
    # The service worker's
    "spool_refused": ("The address may not be asked: it needs https, or to be this machine.", ""),
    "spool_gone": ("The browser no longer has the connection to the endpoint.", ""),
    # The gateway, of the model's server
    "upstream_key": (f"{_MODEL_SERVER} refused the gateway's key ({{status}}).", ""),
    "upstream_unknown": (f"{_MODEL_SERVER} does not know this model or path ({{status}}).", ""),
    "upstream_busy": (f"{_MODEL_SERVER} has too much to do ({{status}}).", ""),
    "upstream_quota": (
        "The gateway's account at the model's server ({host}) has nothing left to spend ({status}).",
        "Look at the plan and the payments there.",
    ),
    "upstream_redirects": (f"{_MODEL_SERVER} redirects elsewhere ({{status}}).", ""),
    "upstream_refused": (f"{_MODEL_SERVER} refused ({{status}}).", ""),
    "upstream_unreachable": (f"{_MODEL_SERVER} cannot be reached.", _RUNNING),
    "upstream_name": (
        f"{_MODEL_SERVER} cannot be reached: its name is not known.",
        "Check the address that the gateway was started with, and its DNS.",
    ),
    "upstream_port": (f"{_MODEL_SERVER} cannot be reached: nothing listens there.", _RUNNING),
    "upstream_certificate": (
        f"{_MODEL_SERVER} cannot be reached: its certificate is not trusted.",
        "Is it the right server, and does the gateway's machine know who signed it?",
    ),
    "upstream_slow": (
        f"{_MODEL_SERVER} cannot be reached: it does not take the connection in time.",
        "Is a firewall in between?",
    ),
    "upstream_silent": (f"{_MODEL_SERVER} sent nothing for {{seconds}} seconds.", ""),
    "upstream_closed": (f"{_MODEL_SERVER} closed the connection without an answer.", ""),
    "upstream_cut": (f"{_MODEL_SERVER} closed the connection in the middle.", ""),
    "upstream_no_stream": (
        f"{_MODEL_SERVER} answered with {{kind}}, not with a stream of events.",
        "Is it an OpenAI-compatible base URL?",
    ),
    "upstream_no_kind": (
        f"{_MODEL_SERVER} answered without a content type, not with a stream of events.",
        "Is it an OpenAI-compatible base URL?",
    ),
    "upstream_no_models": (f"{_MODEL_SERVER} did not answer with a list of models.", ""),
    "upstream_too_much": (f"{_MODEL_SERVER} sent more than {{limit}} bytes.", ""),
    "model_crashed": (
        "The local model stopped unexpectedly; it is being started again.",
        "Ask again in a few seconds.",
    ),
    "model_failed": ("The local model does not run.", ""),
    "model_late": ("The local model did not start in time.", ""),
    # The gateway, of a run
    "run_stopped": ("Stopped.", ""),
    "run_shutdown": ("The server was stopped while it was answering.", "Continue, or ask again."),
    "run_lost": ("The server that wrote this answer is gone.", "Continue, or ask again."),
    "run_unattended": ("Nobody was reading for too long, so the answer was stopped.", ""),
    "run_too_long": ("The answer took longer than the server allows.", ""),
    "run_too_large": ("The answer is larger than the server allows.", ""),
    "run_cut": ("The model's server ended the stream before the answer was complete.", ""),
    "run_empty": ("The model's server ended the stream without an answer.", ""),
    "run_mistake": ("The server made a mistake.", ""),
    # The gateway, of a request
    "request_bad": (
        "The server cannot make sense of the request. Reload the page and try again.",
        "",
    ),
    "request_too_large": ("The request is too large for the server: more than {limit} bytes.", ""),
    "run_expired": ("The server no longer keeps this answer.", ""),
    "log_lost": ("The server has lost answers, and this one may have been among them.", ""),
    "run_unknown": ("The server does not know this answer.", ""),
    "conversation_unknown": ("The server does not know this conversation.", ""),
    "position_unknown": ("The server has this answer only up to position {n}.", ""),
    "key_reused": (
        "The server already has another request under this key.",
        "Use a new key for a new message.",
    ),
    "conversation_busy": (
        "The server is already writing an answer in this conversation.",
        "Wait for it or stop it first.",
    ),
    "too_many_runs": (
        Plural(
            "The server is already writing {n} answer.",
            "The server is already writing {n} answers.",
        ),
        "Wait until one has ended.",
    ),
    "too_many_readers": (
        Plural(
            "The server already has {n} open stream.",
            "The server already has {n} open streams.",
        ),
        "Close other pages of this app.",
    ),
    "still_live": ("The answer does not stop at once.", "Try again."),
    "not_started": (
        "The gateway has not been started.",
        "The app that mounts it must run its lifespan.",
    ),
    "shutdown": ("The server is being stopped.", ""),
    "wrong_host": (
        "The server does not answer under that name.",
        "Use its address, or allow the name with --allow-host.",
    ),
    "wrong_origin": (
        "The server does not let pages of this origin use it.",
        "Allow it with --allow-origin.",
    ),
    "sign_in": ("Sign in again: the server does not know this browser any more.", ""),
    "not_found": ("The server has nothing at this address.", ""),
    "log_failed": (
        "The server cannot use its log of answers. Its own messages say why.",
        "",
    ),
    # The browser's storage
    "storage_full": (
        "The browser's storage is full.",
        "Make room on this device, or delete the data of other sites.",
    ),
    "storage_newer": (
        "A newer version of the app has taken over the storage.",
        "Reload the page to get it.",
    ),
    "storage_denied": ("The browser denies storage.", "Allow this site to store data."),
    "storage_insecure": (
        "Tabs cannot share a storage here.",
        "Allow this site to store data, or open it with https.",
    ),
    "storage_blocked": (
        "Another tab holds the browser's storage.",
        "Close the other tabs of this app and reload this one.",
    ),
    "storage_foreign": (
        "What is stored under this app's name is not its own.",
        "Delete the data of this site to start anew.",
    ),
    "storage_cleared": ("The browser has deleted the data of this site.", ""),
    "storage_failed": ("The browser's storage failed.", ""),
    "damaged_more": (_any("{ids} and {n} more"), ""),
    # config.json
    "config_status": ("config.json was answered with status {status}.", ""),
    "config_unreadable": ("config.json cannot be read.", ""),
    "config_silent": ("config.json did not come within {seconds} seconds.", ""),
    # A file of conversations
    "import_too_large": ("This file is too large to be read here.", _AGAIN),
    "import_unknown": ("This file does not hold saved conversations.", _AGAIN),
    "import_damaged": ("This file is damaged.", _AGAIN),
    "import_deep": (
        "This file is nested more than {limit} levels deep: no program exports conversations like that.",
        _AGAIN,
    ),
    "import_newer": (
        "This file was made by a newer version of the app.",
        "Reload the page to update it.",
    ),
    "import_none": ("Nothing was added. Not usable: {parts}.", _AGAIN),
    "import_some": (
        Plural(
            "{n} conversation was added. Not usable: {parts}.",
            "{n} conversations were added. Not usable: {parts}.",
        ),
        "",
    ),
    "import_stopped": (
        Plural(
            "{n} conversation was added, then: {parts}",
            "{n} conversations were added, then: {parts}",
        ),
        "",
    ),
    "import_more": (_any("and {n} more"), ""),
    "in_conversation": ("conversation {number}: {parts}", ""),
    "in_message": ("message {number}: {parts}", ""),
    "unusable_json": ("it is damaged", ""),
    "unusable_object": ("it is not an object", ""),
    "unusable_form": ("“{field}” cannot be read", ""),
    "unusable_author": ("it has no author", ""),
    "unusable_id": ("it has no usable id", ""),
    "unusable_twice": ("its id “{id}” stands in the file twice", ""),
    "unusable_long": ("“{field}” is longer than {limit} characters", ""),
    "unusable_number": ("“{field}” is not a usable number", ""),
    "unusable_many": ("it has more than {limit} messages", ""),
    "unusable_sum": ("its texts have more than {limit} characters", ""),
    "unusable_circle": ("its messages lead in a circle", ""),
    "unusable_empty": ("it has no messages", ""),
    "unusable_elsewhere": ("a message of “{title}” is here in another conversation", ""),
}
