"""How the shop is served, in production and when it is measured: gunicorn reads this file by itself."""

workers = 2
threads = 4
