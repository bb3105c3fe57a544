"""The model browser and the in-process internet: what a browser decides, and why.

An :class:`Internet` maps origins to WSGI applications. A :class:`Browser` opens them in tabs,
keeps cookies, frames and submits, runs a little JavaScript, and writes every decision with its
reason to :attr:`Browser.log`. No socket, thread or process is used. The same scenarios run in a
real Chromium in the tests, and both agree.

>>> internet = Internet()
>>> internet.add("https://kvittra.example", static_site(
...     {"/": "<h1>Kvittra</h1>"}, headers={"Set-Cookie": "session=7; Secure; SameSite=Lax"}))
>>> internet.add("https://evil.example", static_site(
...     {"/": "<form method=post action=https://kvittra.example/></form>"
...           "<script>document.forms[0].submit()</script>"}))
>>> browser = Browser(internet)
>>> _ = browser.open("https://kvittra.example/")
>>> mark = browser.log.mark
>>> _ = browser.open("https://evil.example/")
>>> print(next(iter(browser.log.since(mark).only("cookie"))))
cookie `session` not sent: SameSite=Lax, cross-site POST, to https://kvittra.example

Names load when they are first asked for: reading markup and scripts is not needed to decide on a
cookie.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
