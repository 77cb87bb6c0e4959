"""Folders and files of YAML to objects that know where they are written."""
