"""Settings of the project; SHOP_MIDDLEWARE in the environment puts one more around the views."""

import os

SECRET_KEY = "of nobody"
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "shop.middleware.marking",
    *os.environ.get("SHOP_MIDDLEWARE", "").split(),
    "shop.middleware.Inviting",
]
USE_TZ = True
