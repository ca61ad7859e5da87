"""Where answers come from: a server, the local model, or the scripted demo."""
