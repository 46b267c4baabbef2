# SPDX-License-Identifier: Apache-2.0
"""Chromium, driven by its driver over the WebDriver protocol; nothing but Debian's packages."""
import base64
import http.client
import json
import os
import re
import shutil
import subprocess
import time

COMMAND = os.path.join(os.environ["DXT_BUILD_DIR"], "bin", "deepxtrace")

ARROW_LEFT, ARROW_RIGHT, ARROW_DOWN, ENTER, ESCAPE, TAB, END = (
    "\ue012", "\ue014", "\ue015", "\ue007", "\ue00c", "\ue004", "\ue010")


def missing():
    """What is not installed; None if all is there."""
    for program in ("chromium", "chromedriver"):
        if not shutil.which(program):
            return program
    return None


def run(*arguments, **keywords):
    """The finished command."""
    return subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, check=True, **keywords)


def simulate(path, *arguments):
    """A simulated recording."""
    path.write_text(run("simulate", *arguments).stdout)
    return path


class Browser:
    """One window of 1280 × 800 in a profile of its own, thrown away at the end."""

    def __init__(self, folder):
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            start_new_session=True, env=dict(os.environ, HOME=str(folder), TMPDIR=str(folder)))
        self.port = None
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                            "--window-size=1280,800", "--hide-scrollbars", "--user-data-dir=%s" % (folder / "profile")]}
        self.session = None
        self.session = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}})["sessionId"]
        self.ask("POST", self.of("/window/rect"), {"width": 1280, "height": 800})

    def close(self):
        try:
            if self.session:
                self.ask("DELETE", self.of(""))
        finally:
            self.driver.terminate()
            self.driver.wait(20)
            self.driver.stdout.close()

    def of(self, path):
        return "/session/%s%s" % (self.session, path)

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, json.dumps(body) if body is not None else None)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        if isinstance(answer.get("value"), dict) and "error" in answer["value"]:
            raise AssertionError(answer["value"]["message"])
        return answer["value"]

    # ---- what tests do ----

    def go(self, url):
        """Load a page afresh, also where only what is behind # differs."""
        self.leave()
        self.ask("POST", self.of("/url"), {"url": str(url)})
        self.settle()

    def script(self, text, *arguments):
        return self.ask("POST", self.of("/execute/sync"), {"script": text, "args": list(arguments)})

    def until(self, text, *arguments, seconds=60):
        """Wait until an expression is true; its value."""
        end = time.monotonic() + seconds
        while True:
            value = self.script("return " + text, *arguments)
            if value:
                return value
            assert time.monotonic() < end, "it did not become true: " + text
            time.sleep(0.05)

    def settle(self):
        """Until the page has drawn what was asked of it last."""
        self.until("document.body.app !== undefined && (document.body.app.key === null ||"
                   " document.body.dataset.ready === String(document.body.app.turn))")

    def keys(self, text):
        actions = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.ask("POST", self.of("/actions"), {"actions": [{"type": "key", "id": "keys", "actions": actions}]})
        self.settle()

    def pointer(self, *actions):
        self.ask("POST", self.of("/actions"), {"actions": [{"type": "pointer", "id": "mouse", "actions": list(actions)}]})

    def move(self, x, y):
        self.pointer({"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0})

    def framed(self):
        """The numbers at the axes that stand in a frame."""
        return self.script(
            "const framed = [], draw = CanvasRenderingContext2D.prototype, [rect, text] = [draw.strokeRect, draw.fillText];"
            "let box = null; draw.strokeRect = function (x, y, w, h) { box = [x, y, w, h]; return rect.call(this, x, y, w, h); };"
            "draw.fillText = function (t, x, y) { if (box && x > box[0] && x < box[0] + box[2] && y > box[1] && y < box[1] + box[3])"
            " framed.push(String(t)); box = null; return text.call(this, t, x, y); };"
            "document.body.app.draw(); [draw.strokeRect, draw.fillText] = [rect, text]; return framed")

    def hover(self, x, y):
        """What is said of the place under the pointer."""
        self.script("document.getElementById('tip').hidden = true")
        self.move(x, y)
        self.until("!document.getElementById('tip').hidden")
        return self.text("#tip")

    def click(self, x, y):
        self.move(x, y)
        self.pointer({"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0})
        self.settle()

    def wheel(self, x, y, delta):
        self.ask("POST", self.of("/actions"), {"actions": [{"type": "wheel", "id": "wheel", "actions": [
            {"type": "scroll", "x": round(x), "y": round(y), "deltaX": 0, "deltaY": delta, "duration": 0, "origin": "viewport"}]}]})

    def cell(self, row, column, panel=0):
        """Where a cell of a map is."""
        return self.script(
            "const m = document.body.app.panels[arguments[2]].map, b = m.canvas.getBoundingClientRect(), g = m.geometry,"
            " v = document.body.app.view; return [b.left + g.left + (arguments[1] + 0.5 - v.x) * g.px,"
            " b.top + g.top + (arguments[0] + 0.5 - v.y) * g.px]", row, column, panel)

    def text(self, selector):
        return self.script("return document.querySelector(arguments[0]).innerText", selector)

    def resize(self, width, height):
        """The size of the page as a phone has it; None = that of the window."""
        command = {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}}
        if width is None:
            command = {"cmd": "Emulation.clearDeviceMetricsOverride", "params": {}}
        self.ask("POST", self.of("/goog/cdp/execute"), command)

    def paper(self):
        """The page as a PDF."""
        return base64.b64decode(self.ask("POST", self.of("/print"), {}))

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.ask("GET", self.of("/screenshot"))))

    def complaints(self):
        """Errors and warnings in the console since the last call."""
        return [entry["message"] for entry in self.ask("POST", self.of("/se/log"), {"type": "browser"})
                if entry["level"] in ("WARNING", "SEVERE")]

    def leave(self):
        """Let go of the page, before its server goes."""
        self.ask("POST", self.of("/url"), {"url": "about:blank"})

    def requests(self):
        """Addresses that were asked for since the last call."""
        found = []
        for entry in self.ask("POST", self.of("/se/log"), {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return found
