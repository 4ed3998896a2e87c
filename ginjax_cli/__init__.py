"""The command line of ginjax: one file for each command, registered in `main`."""
