"""The views."""

import hashlib
import pathlib

from django.http import FileResponse, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse


def index(request):
    return HttpResponse("hello from django")


def name_of(request, name):
    return HttpResponse(name)


def query(request):
    return JsonResponse(dict(request.GET.lists()))


def form(request):
    return JsonResponse(dict(request.POST.lists()))


def upload(request):
    file = request.FILES["file"]
    content = file.read()
    digest = hashlib.sha256(content).hexdigest()
    return JsonResponse({"name": file.name, "size": len(content), "digest": digest, "comment": request.POST["comment"]})


def raw(request):
    content = request.body
    return JsonResponse({"size": len(content), "digest": hashlib.sha256(content).hexdigest()})


def cookies(request):
    return JsonResponse(request.COOKIES)


def set_cookies(request):
    response = HttpResponse("set")
    response.set_cookie("first", "1")
    response.set_cookie("second", "two words")
    return response


def visitor(request):
    if request.method == "POST":
        request.session["visitor"] = request.POST["visitor"]
    return HttpResponse(request.session.get("visitor", "nobody"))


def redirection(request):
    response = HttpResponseRedirect("/landed")
    response.status_code = 303 if request.method == "POST" else 302
    return response


def landed(request):
    return HttpResponse("landed")


def stream(request):
    return StreamingHttpResponse((f"line {number}\n" for number in range(1000)), content_type="text/plain")


def file(request):
    return FileResponse(pathlib.Path(__file__).open("rb"), content_type="text/x-python")


def method(request):
    return HttpResponse(request.method)


def error(request):
    raise RuntimeError("an error of the application")


def unread(request):
    return HttpResponse("not read")


def remote_port(request):
    return HttpResponse(request.META["REMOTE_PORT"])
