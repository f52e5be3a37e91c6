"""One thin module a deployed function: take the event, call the engine, shape the answer."""
