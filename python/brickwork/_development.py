"""For ``--reload``: which directories the application's code is in, and a page that shows why it cannot be imported."""

import html
import os
import sys
import sysconfig

# A directory tree with more directories than this is not only the application's.
MOST_DIRECTORIES = 1000
NOT_CODE = {"__pycache__", "node_modules", "site-packages"}


def code_directories() -> list[str]:
    """Directories of imported modules, and below the current one; without installed packages and the standard library."""
    installed = {os.path.realpath(path) for path in sysconfig.get_paths().values()} - {os.path.realpath(".")}
    found = {os.path.dirname(os.path.abspath(file)) for file in map(module_file, list(sys.modules.values())) if file}
    found = {path for path in found if not any(is_within(os.path.realpath(path), root) for root in installed)}
    return sorted(found | set(tree(os.getcwd())))


def module_file(module: object) -> str | None:
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else None


def is_within(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def tree(root: str) -> list[str]:
    found = []
    for directory, names, _ in os.walk(root):
        if len(found) == MOST_DIRECTORIES:
            break
        if os.path.exists(os.path.join(directory, "pyvenv.cfg")):
            names.clear()
            continue
        names[:] = [name for name in names if not name.startswith(".") and name not in NOT_CODE]
        found.append(directory)
    return found


def error_page(message: str, traceback: str):
    """An application that answers every request with what went wrong."""
    title = html.escape(message)
    body = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem; color-scheme: light dark }}
pre {{ overflow: auto; padding: 1rem; border: 1px solid; border-radius: .3rem }}</style>
<h1>The application cannot be imported</h1><p>{title}<pre>{html.escape(traceback)}</pre>
<p>Save the file again, and reload this page.
""".encode("utf-8", "backslashreplace")

    def application(environ, start_response):
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))]
        start_response("500 Internal Server Error", [*headers, ("Cache-Control", "no-store")])
        return [body]

    return application
