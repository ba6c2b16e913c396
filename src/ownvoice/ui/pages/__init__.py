"""One file a page or a group of routes: each has a ``router``, reads the request, and calls one library function."""
