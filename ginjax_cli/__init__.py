"""The command line of ginjax: one file a command, registered in `main`."""
