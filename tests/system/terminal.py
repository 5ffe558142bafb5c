# SPDX-License-Identifier: MIT
"""A program in a terminal of its own (tmux): what is typed, and what stands on the screen."""
import os
import signal
import subprocess
import time

from harness import soon


class Terminal:
    def __init__(self, place, name, command, width=160, height=50, **environment):
        self.home = place.folder / name
        self.home.mkdir(exist_ok=True)
        self.tmux = ["tmux", "-S", str(self.home / "tmux"), "-f", "/dev/null"]
        settings = {"HOME": self.home, "XDG_CONFIG_HOME": self.home / "config", "XDG_DATA_HOME": self.home / "data",
                    "XDG_CACHE_HOME": self.home / "cache", "LANG": "C.UTF-8", "TERM": "screen", **environment}
        self.run("new-session", "-d", "-s", "it", "-x", str(width), "-y", str(height),
                 "env", *(f"{key}={value}" for key, value in settings.items()), *command)
        place.ends.append(self.close)

    def run(self, *words):
        return subprocess.run([*self.tmux, *words], capture_output=True, text=True, env={**os.environ, "TMUX": ""}).stdout

    def screen(self):
        """The lines as they stand, without the blanks at their ends."""
        return "".join(line.rstrip() + "\n" for line in self.run("capture-pane", "-p", "-t", "it").splitlines())

    def key(self, *keys):
        self.run("send-keys", "-t", "it", *keys)

    def type(self, line):
        """A line with its end; a program that reads keys one by one takes it for typed, not for pasted."""
        self.run("send-keys", "-t", "it", "-l", line)
        time.sleep(0.1)
        self.key("Enter")

    async def see(self, *texts, seconds=20):
        """Waits until all the texts stand on the screen; answers the screen."""
        seen = []

        def stand():
            seen[:] = [self.screen()]
            return all(text in seen[0] for text in texts)
        try:
            await soon(stand, seconds)
        except AssertionError:
            raise AssertionError(f"{texts} did not all come to stand on the screen:\n{seen[0]}") from None
        return seen[0]

    def close(self):
        """Some programs outlive their terminal: they are waited for, and ended by their pids."""
        pids = [int(pid) for pid in self.run("list-panes", "-s", "-F", "#{pane_pid}").split()]
        self.run("kill-server")
        for pid in pids:
            for _ in range(40):
                if not os.path.exists(f"/proc/{pid}"):
                    break
                time.sleep(0.05)
            else:
                os.kill(pid, signal.SIGKILL)
