"""Starts ministack behind a guard that makes `AUTH=true` mean what it says.

As shipped (1.5.33) `AUTH=true` takes any signature for the root key, for the key `test` and for every twelve-digit key;
serves unsigned S3 reads and writes, an unauthenticated reset and an open image registry; hands task containers keys that
it then refuses; evaluates every ECS action against the cluster's ARN; and closes WebSockets at the load balancer. The
emulator can mount host paths, so whoever passes as root there is root on this machine. Each module closes one group of
those holes, in the emulator's own terms; nothing is made laxer than AWS, but that requests count as sent over TLS.
`imports` and `images` close none: they add what the emulator can't import, and delete images as ECR does. It is written
for exactly one version and refuses any other.
"""

import contextlib
import importlib.metadata
import os
import sys

VERSION = "1.5.33"

found = importlib.metadata.version("ministack")
if found != VERSION:
    sys.exit(f"the guard is written for ministack {VERSION}, found {found}")
# The emulator outlives the terminal of the command that started it.
with contextlib.suppress(OSError):
    os.setsid()

import policies  # noqa: E402,I001 - first: it patches names that other modules import
import tasks  # noqa: E402
import gate  # noqa: E402
import images  # noqa: E402
import imports  # noqa: E402
from ministack import app  # noqa: E402

policies.install()
tasks.install()
gate.install()
imports.install()
images.install()
sys.argv = ["ministack"]
app.main()
