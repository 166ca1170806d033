# Owns what schemathesis may ask of a peer: what a request names on disk is put below a folder of its own, and who was logged
# out is logged in again, so that the requests that follow mean something.
import os

import requests
import schemathesis

FOLDER = os.environ["COHORT_FUZZ_FOLDER"]
URL = os.environ["COHORT_FUZZ_URL"]
HEADERS = {"Authorization": "Bearer " + os.environ["COHORT_FUZZ_TOKEN"]}
CREDENTIALS = {"user": os.environ["COHORT_FUZZ_USER"], "password": os.environ["COHORT_FUZZ_PASSWORD"]}


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, dict):
        case.body = {field: kept_below(field, value) for field, value in case.body.items()}


def kept_below(field, value):
    if field not in ("path", "destination") or not isinstance(value, str) or not value.startswith("/"):
        return value
    path = os.path.normpath(FOLDER + "/" + value)
    return path if path.startswith(FOLDER + "/") else FOLDER + "/elsewhere"


@schemathesis.hook
def after_call(context, case, response):
    if case.path == "/api/v1/commands/logout" and response.status_code == 200:
        requests.post(URL + "/api/v1/commands/login", json=CREDENTIALS, headers=HEADERS, timeout=30)
