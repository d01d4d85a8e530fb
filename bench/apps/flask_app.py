"""Flask: one route with a variable, and the same with a line of logging, as an application in production has it."""

import logging
import os
import time
from itertools import count

from flask import Flask

log = logging.getLogger("bench")
log.setLevel(logging.INFO)
log.propagate = False
handler = logging.FileHandler(os.path.join(os.environ["BENCH_DIRECTORY"], "flask.log"), mode="w")
handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s in %(module)s: %(message)s"))
log.addHandler(handler)

numbers = count()
app = Flask(__name__)


@app.route("/hello/<name>")
def hello(name):
    return f"Hello, {name}!"


@app.route("/logged/<name>")
def logged(name):
    log.info("hello for %s", name)
    return f"Hello, {name}!"


@app.route("/logged-and-sleep/<name>")
def logged_and_sleep(name):
    """2 % sleeps 20 ms as well."""
    if next(numbers) % 50 == 0:
        time.sleep(0.020)
    return logged(name)
