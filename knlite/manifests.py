"""Folders and files of YAML to manifests with file and line."""
