"""Raises while it is imported."""

settings = {}


def configure():
    return settings["database"]


configure()
