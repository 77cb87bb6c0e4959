"""CloudEvents SQL as manifests write it: text, and the tree that it stands for.

What an expression means for an event is in ``knlite/eventing/cesql``.
"""
