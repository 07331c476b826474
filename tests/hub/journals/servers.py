"""Two DynamoDBs on loopback, made by different people: moto and dynalite."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from wsgiref.types import WSGIApplication

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

DYNALITE = Path(__file__).parents[2] / "dynalite"

# Ends when its standard input does, so that it never outlives the tests that started it.
LAUNCH = """
const server = require('dynalite')({createTableMs: 0, deleteTableMs: 0})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
"""


@contextmanager
def serving(app: WSGIApplication) -> Iterator[str]:
    """The address under which ``app`` answers, one request at a time."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # moto checks a condition and writes without holding a lock, so threads would let two writers win.
    server = make_server("127.0.0.1", 0, app, threaded=False)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def moto() -> Iterator[str]:
    with serving(DomainDispatcherApplication(create_backend_app)) as address:
        yield address


@contextmanager
def dynalite() -> Iterator[str]:
    """
    Raises:
        RuntimeError: it cannot run here; the text says what to install.
    """
    node = shutil.which("node")
    if node is None:
        raise RuntimeError("node is missing; install Node.js to try the journal on dynalite")
    if not (DYNALITE / "node_modules" / "dynalite").is_dir():
        raise RuntimeError("dynalite is not installed; run `npm ci --prefix tests/dynalite`")
    with subprocess.Popen(
        [node, "-e", LAUNCH],
        cwd=DYNALITE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            port = process.stdout.readline().strip()
            if not port:
                raise RuntimeError(f"dynalite did not start: {process.stderr.read()}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
