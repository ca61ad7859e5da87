"""What is said to an endpoint and by it: in the dialect of OpenAI, or by the scripted demo."""
