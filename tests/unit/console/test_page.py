"""The page, its files, and the policy they come with."""

INDEX = """<!doctype html>
<meta name="knlite-token" content="" />
<meta name="knlite-nonce" content="" />
<script type="module" crossorigin src="/console/assets/index-abc.js"></script>
"""
