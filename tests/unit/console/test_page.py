"""The page, its files, and the policy they come with."""

import gzip
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.applications import Starlette

from knlite.apiserver.app import KnliteError, _refused
from knlite.console.page import Page

INDEX = """<!doctype html>
<meta name="knlite-token" content="" />
<meta name="knlite-nonce" content="" />
<script type="module" crossorigin src="/console/assets/index-abc.js"></script>
"""
