"""A Tornado application whose handler works in the application's own pool of 3 threads."""

import time
from concurrent.futures import ThreadPoolExecutor

import tornado.ioloop
import tornado.web

pool = ThreadPoolExecutor(3)


class Index(tornado.web.RequestHandler):
    async def get(self):
        await tornado.ioloop.IOLoop.current().run_in_executor(pool, time.sleep, 0.2)
        self.write("here")


app = tornado.web.Application([("/", Index)])
