"""The routes of test_frameworks.py in Django, laid out as `django-admin startproject` does."""
