"""A function that answers HTTP requests, in the style of parliament: ``main(context)``."""

import json


def main(context):
    """Answer one request.

    ``context.request`` is a Flask request; ``context.cloud_event`` is the event if there is one. What
    is returned may be whatever a view of Flask returns: text, a dict, (body, status, headers).
    """
    request = context.request
    print(request.method, request.path)
    if request.method == "POST":
        return json.dumps({"received": request.get_json(silent=True)}), 200, JSON
    return json.dumps({"hello": request.args.get("name", "World")}), 200, JSON


JSON = {"Content-Type": "application/json"}
