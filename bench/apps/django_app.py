"""Django in one module: a plain route, and a page made of three SQLite queries and a template."""

import os
import sqlite3
import time
from itertools import count

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse
from django.template import engines
from django.urls import path

DATABASE = os.path.join(os.environ["BENCH_DIRECTORY"], "books.sqlite3")
TEMPLATE = """<!doctype html><title>{{ shelf.1 }}</title><h1>{{ shelf.1 }} ({{ total }} books)</h1>
<ul>{% for book in books %}<li>{{ book.1 }}, {{ book.2 }}</li>{% endfor %}</ul>"""


def make_database():
    """Ten shelves of twenty books; made by whoever comes first, and the same for every server."""
    with sqlite3.connect(DATABASE) as database:
        database.execute("create table shelf (id integer primary key, name text)")
        database.execute("create table book (id integer primary key, shelf integer, title text, author text)")
        database.execute("create index books_of_shelf on book (shelf)")
        database.executemany("insert into shelf values (?, ?)", [(n, f"Shelf {n}") for n in range(10)])
        rows = [(n, n % 10, f"Title {n}", f"Author <{n % 7}>") for n in range(200)]
        database.executemany("insert into book values (?, ?, ?, ?)", rows)


def hello(request, name):
    return HttpResponse(f"Hello, {name}!")


def shelf(request, number):
    with connection.cursor() as cursor:
        cursor.execute("select id, name from shelf where id = %s", [number])
        row = cursor.fetchone()
        cursor.execute("select count(*) from book where shelf = %s", [number])
        (total,) = cursor.fetchone()
        cursor.execute("select id, title, author from book where shelf = %s order by title limit 20", [number])
        books = cursor.fetchall()
    return HttpResponse(template.render({"shelf": row, "total": total, "books": books}, request))


class Counted(HttpResponse):
    """Counts those of its kind that were closed."""

    closed = 0

    def close(self):
        super().close()
        Counted.closed += 1


def closed(request):
    return Counted(str(Counted.closed))


numbers = count()


def shelf_and_sleep(request, number):
    """2 % sleeps 50 ms as well."""
    if next(numbers) % 50 == 0:
        time.sleep(0.050)
    return shelf(request, number)


urlpatterns = [
    path("hello/<name>", hello),
    path("closed", closed),
    path("shelf/<int:number>", shelf),
    path("shelf-and-sleep/<int:number>", shelf_and_sleep),
]

if not os.path.exists(DATABASE):
    make_database()
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for benchmarks",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE, "CONN_MAX_AGE": None}},
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)
django.setup()
template = engines["django"].from_string(TEMPLATE)
app = get_wsgi_application()
