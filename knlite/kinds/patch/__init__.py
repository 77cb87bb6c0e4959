"""The ways to say what is to change in an object: JSON, merge, strategic merge, apply.

All of them work on documents as JSON trees and give a new tree; none of them changes its input.
"""
