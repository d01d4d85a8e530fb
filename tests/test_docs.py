"""The documentation against the product: its settings, its commands, its links."""

import pathlib
import re

import pytest

from harness.server import run

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md"), *(ROOT / "examples").glob("**/*.md")]
README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "docs" / "reference" / "settings.md").read_text()

COMMANDS = ["run", "static", "demo"]


def help_of(command):
    """What `brickwork COMMAND --help` prints, each flag's text on one line."""
    ended = run(command, "--help")
    assert ended.returncode == 0
    return re.sub(r"\n {9,}", " ", ended.stdout)


def flags_in_help(command):
    """For each flag its short form, value and default; None where nothing is said."""
    rows = {}
    for line in help_of(command).splitlines():
        flag = re.match(r" +(?:(-\w), |    )(--[\w-]+)(?: <(.+?)>|\[=<(.+?)>\])? (.+)", line)
        if flag and flag[2] not in ("--help", "--version"):
            default = re.search(r"\(default (.+?)\)", flag[5])
            rows[flag[2]] = (flag[1], flag[3] or flag[4], default and default[1])
    return rows


def flags_in_reference():
    """The same, from the tables of docs/reference/settings.md."""
    rows = {}
    for line in re.findall(r"^\| `-.+", SETTINGS, re.M):
        _, flag, value, default, *_ = (cell.strip() for cell in line.split("|"))
        names = re.findall(r"`([^`]+)`", flag)
        short = next((name for name in names if not name.startswith("--")), None)
        long = next(name for name in names if name.startswith("--"))
        rows[long] = (short, value or None, default.replace("`", "") or None)
    return rows


def test_the_reference_has_every_flag_with_its_default_and_no_other():
    in_help = {}
    for command in COMMANDS:
        in_help |= flags_in_help(command)
    assert len(in_help) > 20, "the help has another shape than this test reads"
    assert flags_in_reference() == in_help


def test_each_flag_of_the_commands_without_an_application_is_one_of_run():
    for command in ["static", "demo"]:
        assert flags_in_help(command).items() <= flags_in_help("run").items()


def test_the_variable_of_a_flag_is_named_as_the_reference_says():
    ended = run("run", "nothing:here", env={"BRICKWORK_KEEP_ALIVE": "never"})
    assert ended.returncode == 2
    assert "BRICKWORK_KEEP_ALIVE" in ended.stderr
    assert re.search(r"`--keep-alive`\s+is\s+`BRICKWORK_KEEP_ALIVE`", SETTINGS)


def commands_in(page):
    """The indented lines of a page that start with one of the project's commands."""
    return re.findall(r"^    ((?:\S*/)?(?:make|pip|brickwork) .+)$", page, re.M)


FIRST_MINUTES = commands_in(README.partition("## The first five minutes")[2].partition("## Compared")[0])


def test_the_first_five_minutes_show_the_ways_to_begin():
    for command in ["make serve", "pip install .", "brickwork module:callable", "brickwork demo"]:
        assert command in FIRST_MINUTES


@pytest.mark.parametrize("command", FIRST_MINUTES)
def test_a_command_of_the_first_five_minutes_exists(command):
    program, *arguments = command.split()
    if program == "make":
        target, *variables = arguments
        makefile = (ROOT / "Makefile").read_text()
        assert re.search(rf"^{target}:", makefile, re.M)
        for variable in variables:
            assert f"ifdef {variable.partition('=')[0]}" in makefile
    elif program == "pip":
        assert arguments == ["install", "."]
        assert (ROOT / "pyproject.toml").exists()
    else:
        # A flag or command before --help that does not exist is an error all the same.
        ended = run(*arguments, "--help")
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "Usage: brickwork" in ended.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_files_and_functions_of_the_walk_exist():
    walk = (ROOT / "ARCHITECTURE.md").read_text().partition("## Layers")[0]
    files = re.findall(r"`((?:http|server|wsgi|brickwork)/src/[\w/]+\.rs)`", walk)
    assert len(files) > 15
    for file in files:
        assert (ROOT / "crates" / file).exists(), file
    sources = "\n".join(path.read_text() for path in (ROOT / "crates").glob("*/src/**/*.rs"))
    for name in re.findall(r"`\w+(?:::(\w+))+`", walk):
        assert re.search(rf"\b(?:fn {name}|{name})\b", sources), name


def test_every_decision_is_listed():
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    listed = re.findall(r"^(\d+)\. \[.+?\]\(decisions/(.+?)\)", (ROOT / "docs" / "README.md").read_text(), re.M)
    assert listed == [(str(number), page.name) for number, page in enumerate(decisions, 1)]
