"""What the runner of Node.js functions adds to ``faas-js-runtime``; reference §4.2.

The modules here stand for the real ones, which need a package registry.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from knlite.functions.node import RUNNER

RUNTIME = """
const protect = require('overload-protection')('http', {});
exports.start = async () => {
  const said = [];
  const reply = {
    code(status) { said.push(status); return this; },
    header(name, value) { said.push(name, value); return this; },
    send(text) { said.push(text); return this; },
  };
  protect({}, reply, () => reply.send('OK'));
  protect({}, reply, () => reply.send('OK'));
  console.log(JSON.stringify(said));
};
"""
PROTECTION = """
let asked = 0;
module.exports = () => {
  const protect = (request, reply, next) => {
    if (protect.overload) reply.setHeader('Retry-After', 1);
    next();
  };
  // From the second probe on.
  Object.defineProperty(protect, 'overload', { get: () => ++asked > 1 });
  return protect;
};
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_a_probe_of_an_overloaded_function_is_a_503_and_no_error(tmp_path: Path) -> None:
    modules = {"faas-js-runtime": RUNTIME, "overload-protection": PROTECTION}
    for name, text in modules.items():
        (tmp_path / "node_modules" / name).mkdir(parents=True)
        (tmp_path / "node_modules" / name / "index.js").write_text(text)
    (tmp_path / "index.js").write_text("module.exports = { handle: () => 'hello' };\n")
    done = subprocess.run(
        ["node", str(RUNNER), str(tmp_path), "index.js"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    assert json.loads(done.stdout) == ["OK", 503, "Retry-After", "1", "Service Unavailable"]
