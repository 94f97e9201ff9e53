"""Make a repository of manifests: settings, editor files, workflows and policies, from templates.

It writes what is missing and overwrites nothing.
"""
