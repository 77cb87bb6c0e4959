"""Ends the instances when knlite itself is killed and can no longer do it.

A small shell process reads from a pipe which process groups live. Only knlite holds the other end:
when it ends, however it ends, the shell reads the end of file and stops the groups that are left.

Not here: what even the guard missed (``owner.py``).
"""

import subprocess
from contextlib import suppress

SCRIPT = """\
trap '' INT TERM HUP
groups=' '
while read -r verb group; do
  case $verb in
    add) groups="$groups$group " ;;
    drop) groups="${groups%%" $group "*} ${groups#*" $group "}" ;;
  esac
done
[ "$groups" = ' ' ] && exit
for group in $groups; do kill -s TERM -- "-$group" 2>/dev/null; done
for group in $groups; do kill -s CONT -- "-$group" 2>/dev/null; done
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  alive=
  for group in $groups; do kill -s 0 -- "-$group" 2>/dev/null && alive=yes; done
  [ "$alive" ] || exit
  sleep 0.1
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
"""


class Guard:
    """The process that outlives knlite by two seconds at most."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def add(self, group: int) -> None:
        """Watch over *group*; the first call starts the guard."""
        if self._process is None:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", SCRIPT],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                bufsize=0,
                cwd="/",
            )
        self._tell(f"add {group}\n")

    def drop(self, group: int) -> None:
        """Forget *group*, which has ended."""
        self._tell(f"drop {group}\n")

    def close(self) -> None:
        """End the guard; it stops the groups that are left."""
        # First, as this runs in a thread: what still ends meanwhile has nobody to tell.
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            process.wait()

    def _tell(self, line: str) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        # Should somebody have killed the guard, the next run's sweep remains.
        with suppress(BrokenPipeError):
            process.stdin.write(line.encode())
