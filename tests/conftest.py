"""Fixtures: servers of a test's own (`serve`) and servers shared by a module (`shared`)."""

import contextlib

import pytest

from harness.server import Server

# Servers that run now, for the report of a test that fails meanwhile.
running = []


@contextlib.contextmanager
def serving(directory, *arguments, **options):
    """A running server that is stopped at the end and must then have ended well."""
    server = Server(directory, *arguments, **options)
    server.start()
    running.append(server)
    try:
        yield server
    except BaseException:
        print(server.describe())
        server.kill()
        raise
    finally:
        running.remove(server)
    server.stop_cleanly()


@pytest.fixture
def serve(tmp_path):
    """`with serve(APP, *arguments, env=..., cwd=..., pass_fds=...) as server`: a server of the test's own."""
    return lambda *arguments, **options: serving(tmp_path, *arguments, **options)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """`shared(APP, *arguments)`: the module's one server for these arguments."""
    directory = tmp_path_factory.mktemp("servers")
    servers = {}
    with contextlib.ExitStack() as stack:

        def server(*arguments):
            if arguments not in servers:
                servers[arguments] = stack.enter_context(serving(directory, *arguments))
            return servers[arguments]

        yield server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for server in running:
            report.sections.append(("server", server.describe()))
    return report
