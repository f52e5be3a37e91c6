"""The handlers of the deployed functions, one module each: read the event, call the responder, return the answer."""
