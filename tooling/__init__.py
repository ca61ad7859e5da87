"""What build.py does, one idea per file; nothing here is needed at run time."""
