"""The sentences of the sign-in page, in each language of the app."""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Sign in",
        "token": "Token",
        "sign_in": "Sign in",
        "whence": "Whoever runs this server gives you a token.",
        "wrong": "The server does not know this token.",
        "too_many": "Too many wrong tokens. Try again in a minute.",
        "signed_in": "You are signed in as {name}.",
        "open": "Open the app",
        "sign_out": "Sign out",
        "stays": "After that, this browser still has the conversations that it has stored.",
    },
    "ru": {
        "title": "Вход",
        "token": "Токен",
        "sign_in": "Войти",
        "whence": "Токен выдаёт тот, кто управляет этим сервером.",
        "wrong": "Сервер не знает этого токена.",
        "too_many": "Слишком много неверных токенов. Попробуйте снова через минуту.",
        "signed_in": "Вы вошли как {name}.",
        "open": "Открыть приложение",
        "sign_out": "Выйти",
        "stays": "Разговоры, которые сохранил этот браузер, останутся в нём и после выхода.",
    },
    "pl": {
        "title": "Logowanie",
        "token": "Token",
        "sign_in": "Zaloguj się",
        "whence": "Token daje osoba, która prowadzi ten serwer.",
        "wrong": "Serwer nie zna tego tokenu.",
        "too_many": "Za dużo błędnych tokenów. Spróbuj ponownie za minutę.",
        "signed_in": "Zalogowano jako {name}.",
        "open": "Otwórz aplikację",
        "sign_out": "Wyloguj się",
        "stays": "Rozmowy zapisane w tej przeglądarce zostaną w niej także po wylogowaniu.",
    },
}


def language_of(accepted: str) -> str:
    """The best of ours for an Accept-Language; English for all others."""
    found = [(_weight(entry), entry.split(";")[0].strip().lower()[:2]) for entry in accepted.split(",")]
    wanted = [language for weight, language in sorted(found, key=lambda pair: -pair[0]) if weight > 0]
    return next((language for language in wanted if language in TEXTS), "en")


def texts_in(language: str) -> Mapping[str, str]:
    return TEXTS[language]


def _weight(entry: str) -> float:
    _, _, weight = entry.partition(";q=")
    try:
        return float(weight) if weight else 1.0
    except ValueError:
        return 0.0
