"""A Flask application that dispatches by itself."""

from flask import Flask, request


class Own(Flask):
    def dispatch_request(self, *_context):
        if request.routing_exception is not None:
            raise request.routing_exception
        return self.view_functions[request.endpoint](*request.view_args.values())


app = Own(__name__)


@app.route("/here")
def here():
    return "here\n"


# A script's last line, which must not start a server while the application is loaded.
app.run()
