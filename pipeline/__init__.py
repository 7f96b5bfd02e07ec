"""The order of things: land, prepare, build, publish; what the command line and the server both call."""
