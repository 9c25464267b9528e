"""What the command that started the emulator decided."""

import os

ACCESS_KEY = os.environ["AWS_ACCESS_KEY_ID"]
ACCOUNT = os.environ["MINISTACK_ACCOUNT_ID"]
REGION = os.environ["MINISTACK_REGION"]
REGISTRY_PASSWORD = os.environ.pop("LEO_REGISTRY_PASSWORD")
# The registry's as well.
ENDPOINT = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
