"""The use case, without sockets: from a request and its caller to an answer or a stream of
events.
"""
